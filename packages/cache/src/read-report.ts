/** Why a read was not answered from the cache. */
export type MissReason =
  /** There was nothing. */
  | 'absent'
  /** It was past its time, and the call did not allow it. */
  | 'expired'
  /** A tag of it, or its namespace, was invalidated or lost. */
  | 'invalidated'
  /** It could not be read; a record of another release stays. */
  | 'unreadable' | 'foreign'
  /** Redis did not answer. */
  | 'unavailable'

/** How a read was answered. */
export interface ReadReport {
  readonly key: string
  /** `l1`: this process. `l2`: the store. `stale`: the store, past its time. `factory`: a run of it, here or elsewhere. `none`: there is nothing. */
  readonly source: 'l1' | 'l2' | 'stale' | 'factory' | 'none'
  /** Since it was stored, by the store's clock; undefined where `expire` has made it stale, or there is nothing. */
  readonly ageMs: number | undefined
  /** How long it is still fresh; 0 for what is stale or not there. */
  readonly ttlLeftMs: number
  /** Undefined for a hit. */
  readonly missReason: MissReason | undefined
  /** How long it waited for the run of another; 0 where it did not. */
  readonly waitedMs: number
}

/** Options of a read. */
export interface ReadOptions {
  /** Told once for each key, before the call resolves. What it throws is logged, and changes nothing. */
  onReport?: (report: ReadReport) => void
}
