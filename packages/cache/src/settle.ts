import type { Snapshot } from './snapshot.ts'
import type { Store, Tick } from './stores/store.ts'

/** What tags are settled with. */
export interface SettleParts {
  readonly store: Store
  /** As it stood before the factory. */
  readonly clock: Tick
  /** Told of a question whose answer nobody waits for. */
  readonly behind: (what: string, work: Promise<unknown>) => void
}

/**
 * A snapshot with the tags a factory has added, or undefined when one of them may have been invalidated since the clock was read, before
 * the factory: then what it loaded may be old, and must not be stored.
 * @throws a `LinkError`
 */
export async function withAdded (snapshot: Snapshot, added: readonly string[], parts: SettleParts): Promise<Snapshot | undefined> {
  const nonces = await Promise.all(added.map(tag => settle(tag, parts)))
  if (nonces.includes(undefined)) return undefined
  return { ns: snapshot.ns, tags: new Map([...snapshot.tags, ...added.map((tag, i) => [tag, nonces[i]!] as const)]) }
}

async function settle (tag: string, { store, clock, behind }: SettleParts): Promise<string | undefined> {
  const record = await store.tag(tag)
  if (record?.g === clock.g) return record.s <= clock.s ? record.nonce : undefined
  // Nobody vouches for it, or it is not there.
  const nonce = record?.nonce ?? (await store.mint([tag], false)).tags.get(tag)!
  // Read after the nonce was seen in place: had it stood before, a bump between the two would pass unseen.
  const now = await store.clock()
  behind('vouch', store.vouch(tag, nonce, now))
  return now.g === clock.g && now.s === clock.s ? nonce : undefined
}
