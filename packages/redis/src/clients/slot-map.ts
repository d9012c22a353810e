/** Where a node of a Cluster is. */
export interface Address {
  readonly host: string
  readonly port: number
}

/** Which master serves which slot. */
export interface SlotMap {
  /** The masters by name, sorted by it. */
  readonly masters: ReadonlyMap<string, Address>
  /** The name of the master of each slot; undefined where nobody serves it. */
  readonly nameOf: readonly (string | undefined)[]
  /** Two maps with one signature are the same. */
  readonly signature: string
}

/** The name of a node. */
export const nameOf = ({ host, port }: Address): string => `${host}:${port}`

/**
 * Reads the answer of CLUSTER SLOTS.
 * @param askedHost - stands for a host that the node leaves out, since it does not know its own
 * @see https://redis.io/docs/latest/commands/cluster-slots/
 */
export function readSlotMap (reply: unknown, askedHost: string, translate: (address: Address) => Address = address => address): SlotMap {
  const names: (string | undefined)[] = Array.from({ length: 16_384 }, () => undefined)
  const masters = new Map<string, Address>()
  const ranges: string[] = []
  for (const [from, to, [host, port]] of reply as [number, number, [string | null, number]][]) {
    const address = translate({ host: host === null || host === '' || host === '?' ? askedHost : String(host), port: Number(port) })
    const name = nameOf(address)
    masters.set(name, address)
    names.fill(name, Number(from), Number(to) + 1)
    ranges.push(`${from}-${to} ${name}`)
  }
  return {
    masters: new Map([...masters].sort(([a], [b]) => a < b ? -1 : 1)),
    nameOf: names,
    signature: ranges.sort().join()
  }
}

/** What MOVED or ASK says: where a key is. */
export function redirection (error: Error): { kind: 'MOVED' | 'ASK', slot: number, address: Address } | undefined {
  const found = /^(MOVED|ASK) (\d+) (.*):(\d+)$/.exec(error.message)
  if (found === null) return undefined
  return { kind: found[1] as 'MOVED' | 'ASK', slot: Number(found[2]), address: { host: found[3]!, port: Number(found[4]) } }
}
