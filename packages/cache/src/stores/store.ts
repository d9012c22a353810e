import type { Pattern } from '../pattern.ts'

/** How an entry is asked for with the right to fill it. */
export interface LeaseRequest {
  readonly token: string
  readonly leaseMs: number
  /** Id of a record the caller has seen to be dead, or ''. */
  readonly except: string
  /** Token of the fill the caller has waited for, or ''. */
  readonly waited: string
  /** Whether the clock of bumps is asked for along with it. */
  readonly clock?: boolean
  /** How long the answer may take. @default the link's deadline */
  readonly withinMs?: number | undefined
}

/** Where a namespace's clock of bumps stands: compared for equality, and within one generation by its counter. */
export interface Tick {
  readonly g: string
  readonly s: number
}

/** What is asked of the store in one write. */
export interface Question {
  readonly key: string
  /** Tags whose nonces are asked for along with it. */
  readonly tags: readonly string[]
  /** Undefined: only looks. */
  readonly lease?: LeaseRequest
}

/** What a store knows of namespace and tags; null where there is no record. */
export interface Versions {
  ns: string | null
  readonly tags: Map<string, string | null>
  readonly clock?: Tick
}

/** The store's answer, its versions read after the question was asked. */
export interface Reply {
  /**
   * `FAILED`, `SKIPPED`: how the fill ended that the caller waited for. `FOREIGN`: a record of another release lies there, and stays.
   */
  readonly state: 'HIT' | 'STALE' | 'MISS' | 'FAILED' | 'SKIPPED' | 'FOREIGN'
  /** `LEASED`: the caller is to fill. `WAIT`: `holder` does. Empty where nothing was asked. */
  readonly lease: 'LEASED' | 'WAIT' | ''
  readonly holder: string
  /** Until the soft expiry, by the store's clock. */
  readonly leftMs: number
  /** Since the soft expiry; 0 for what was softened. */
  readonly pastMs: number
  readonly record: Buffer | undefined
  readonly versions: Versions
}

/** An entry to store. */
export interface Entry {
  readonly record: Buffer
  /** Until it is stale. */
  readonly softMs: number
  /** Until it goes. */
  readonly hardMs: number
  /** What becomes of what lies there when the fill is refused. @default 'leave' */
  readonly onRefuse?: 'drop' | 'leave'
  /** How long the answer may take. @default the link's deadline */
  readonly withinMs?: number | undefined
}

/**
 * Where the entries of one namespace lie: the atomic steps of the protocol, one method a step. Every step is decided by
 * the store's own clock. Failures of a store are `LinkError`s.
 */
export interface Store {
  /** Looks, or asks for an entry with the right to fill it. */
  read (question: Question): Promise<Reply>
  /**
   * The nonces of these tags.
   * @param withinMs - how long the answer may take, here and below. @default the link's deadline
   */
  versions (tags: readonly string[], withinMs?: number): Promise<Map<string, string | null>>
  /** A tag's nonce, and the bump of which generation and counter it is at the latest; null where there is no record. */
  tag (tag: string): Promise<Tick & { nonce: string } | null>
  /** The clock of bumps; never one that was lost and does not know it. */
  clock (withinMs?: number): Promise<Tick>
  /** Says that a nonce was in place when the clock stood there. */
  vouch (tag: string, nonce: string, tick: Tick): Promise<void>
  /** Gives nonces to those of namespace and tags that have none; answers what is there. */
  mint (tags: readonly string[], ns: boolean, withinMs?: number): Promise<Versions>
  /** @returns whether the lease still stood, and the entry was stored; where it did not, `onRefuse` says whether what lies there goes */
  fill (key: string, token: string, entry: Entry): Promise<boolean>
  /** Ends a lease: the factory failed, skipped, or nobody waits. */
  done (key: string, token: string, how: 'F' | 'S' | '-'): Promise<void>
  /** Stores an entry, whoever fills it meanwhile; the last one at the store wins. */
  put (key: string, entry: Entry): Promise<void>
  /** Takes the lease of a key, whoever has it. */
  open (key: string, token: string, leaseMs: number): Promise<void>
  /**
   * Drops an entry, and the lease of whoever fills it.
   * @returns entries that went
   */
  drop (key: string): Promise<number>
  /** Drops a record that cannot be read, unless another took its place. */
  discard (key: string, id: string): Promise<void>
  /**
   * Ends an entry's freshness, and the lease of whoever fills it.
   * @returns entries that are stale from now on
   */
  soften (key: string): Promise<number>
  /** A new nonce for a tag: all entries that carry it are dead. */
  bump (tag: string): Promise<void>
  /** Lets the records of the namespace and of these tags live as long as an entry that carries them. */
  keep (tags: readonly string[], hardMs: number): Promise<void>
  /** A new nonce for the namespace: all its entries are dead. */
  clear (): Promise<void>
  /**
   * Drops what matches, leases first, so that a fill under way is refused or its value met by the second walk.
   * @returns entries that went
   */
  dropPattern (pattern: Pattern): Promise<number>
}

/** How long a tag's record lives at the least. */
export const tagMs = 2 * 86_400_000
/** How long the records of a namespace live at the least after they were last written. */
export const nsMs = 400 * 86_400_000
/** How long the mark of a failed or skipped fill is there for those who waited. */
export const markMs = 2_000
