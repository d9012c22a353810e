/** What the protocol does on purpose; a scene that leaves one out must break. */
export type Guard =
  'fill asks for a lease' | 'fill asks for its own lease' | 'drop ends the lease' |
  'a record carries the nonces of before its factory' | 'a missing tag record is a mismatch' | 'versions are nonces' |
  'answers of Redis are judged by tags of Redis' | 'the clock judges tags of the factory' | 'bump ticks first' |
  'bump keeps the later tick' | 'the clock has a generation' | 'a minted tag asks the clock again' |
  'joining asks Redis first' | 'joining compares nonces' | 'a joiner asks again where the factory added tags' |
  'copies are kept under a mark' | 'a mark carries the generation' | 'an own invalidation spoils at its reply' |
  'an own fill is no copy' | 'a write fills under its lease' | 'a refused write drops'

/** What a call does, one after the other. */
export type Op = { readonly read: number } | { readonly drop: number } | { readonly bump: number } | { readonly write: number }

/** Faults that may happen, each this often. */
export interface Luck { leaseExpiry: number, eviction: number, tagLoss: number, clockLoss: number, disconnect: number }

/** The bounds of one walk. */
export interface Scene {
  /** The tags of each key. */
  readonly keys: readonly (readonly number[])[]
  /** How many tags there are. */
  readonly tags: number
  /** Calls in flight, each of a process. */
  readonly calls: readonly { readonly process: number, readonly ops: readonly Op[] }[]
  readonly luck: Partial<Luck>
  /** Whether processes keep local copies; without, a reply is executed and processed in one step. */
  readonly local?: boolean
  /** Whether tags come out of the factory rather than with the call. */
  readonly inFactory?: boolean
  /** Whether callers of one process join each other's factory. */
  readonly join?: boolean
  /** Whether tag records are there at the start. */
  readonly tagsMinted?: boolean
  readonly without?: Guard
}

export interface Tick { g: string, s: number }
export interface TagRecord extends Tick { nonce: string }
/** A value by the number of the commit it shows, with a nonce for each tag of its key. */
export interface Entry { id: string, version: number, nonces: string[] }
export interface Reply { state: 'HIT' | 'MISS', lease: 'LEASED' | 'WAIT' | '', holder: string, entry: Entry | null }

/** A call in flight: between any two of its steps anything else may happen. */
export interface Call {
  step: string
  /** The op it is at. */
  at: number
  /** Names it has made: tokens and nonces are never used again. */
  made: number
  read?: Reading
  /** Of a write through: its lease, and the nonces of before its commit. */
  write?: { token: string, nonces: string[] }
  /** Of an invalidation: the commit it covers, and the tick of a bump. */
  version?: number
  tick?: Tick
}

export interface Reading {
  key: number
  token: string
  /** What may not be undercut: through Redis, from a copy. */
  floor: number
  localFloor: number
  except: string
  mark: number
  spoiled: boolean
  spoiledTags: boolean[]
  reply: Reply | null
  /** A nonce for each tag of the key; `missing` or `unasked`. */
  nonces: string[]
  clock: Tick | null
  loaded: number
  /** Of a tag that the factory added and that is not vouched. */
  candidate: string
  second: Tick | null
}

export interface Process {
  /** By the server. */
  tracked: boolean
  /** By the process. */
  armed: boolean
  generation: number
  /** One queue for the node of the keys, one for the node of the tags: [which, commit]. */
  pushes: [number, number][][]
  copies: (Entry | null)[]
  nonces: string[]
  flights: ({ token: string, nonces: string[] } | null)[]
  /** For each key, what copies may not undercut. */
  floors: number[]
}

export interface World {
  broken: string
  commits: number
  rows: number[]
  values: (Entry | null)[]
  leases: string[]
  tags: (TagRecord | null)[]
  clock: Tick | null
  clocksLost: number
  processes: Process[]
  calls: Call[]
  /** For each key: the commit up to which invalidations have resolved, and have been executed. */
  resolved: number[]
  executed: number[]
  luck: Luck
}

export const missing = '-'
export const unasked = '?'

export function worldOf ({ keys, tags, calls, luck, local = false, tagsMinted = true }: Scene): World {
  const perKey = <T>(make: () => T): T[] => keys.map(make)
  return {
    broken: '',
    commits: 0,
    rows: perKey(() => 0),
    values: perKey(() => null),
    leases: perKey(() => missing),
    tags: Array.from({ length: tags }, () => tagsMinted ? { nonce: '0', g: 'A', s: 0 } : null),
    clock: { g: 'A', s: 0 },
    clocksLost: 0,
    processes: Array.from({ length: 1 + Math.max(...calls.map(({ process }) => process)) }, () => ({
      tracked: local,
      armed: local,
      generation: 0,
      pushes: [[], []],
      copies: perKey(() => null),
      nonces: Array.from({ length: tags }, () => missing),
      flights: perKey(() => null),
      floors: perKey(() => 0)
    })),
    calls: calls.map(() => ({ step: 'idle', at: 0, made: 0 })),
    resolved: perKey(() => 0),
    executed: perKey(() => 0),
    luck: { leaseExpiry: 0, eviction: 0, tagLoss: 0, clockLoss: 0, disconnect: 0, ...luck }
  }
}

/** The call's next op, if it has one. */
export const opOf = (scene: Scene, call: Call, index: number): Op | undefined => scene.calls[index]!.ops[call.at]

export const keysOf = (scene: Scene, tag: number): number[] => scene.keys.flatMap((tags, key) => tags.includes(tag) ? [key] : [])

/** The op is over: what it knew is forgotten, so that worlds that differ in nothing else are one. */
export function over (world: World, index: number): void {
  const { at, made } = world.calls[index]!
  world.calls[index] = { step: 'idle', at: at + 1, made }
}

/** A name that was never used. */
export const fresh = (call: Call, index: number): string => `${index}.${++call.made}`
