import type { Bucket } from '../buckets.ts'
import type { Identity } from '../identity.ts'
import type { Cardinality, Sketch } from '../sketch.ts'
import type { Summary } from '../top-merge.ts'

/** The calls of an identity. */
export interface BatchEntry extends Identity {
  readonly calls: number
}

/** What one process has seen of one metric in one minute, or a part of it; an identity is in it once. */
export interface Batch {
  readonly metric: string
  readonly minuteMs: number
  /** The process that saw it. */
  readonly origin: string
  /** Grows by one with each batch of an origin and metric. */
  readonly sequence: number
  readonly entries: readonly BatchEntry[]
}

/** The least calls first, as the top lists want a batch. */
export function byCalls (entries: readonly BatchEntry[]): BatchEntry[] {
  return [...entries].sort((a, b) => a.calls - b.calls)
}

/** Where counts rest. Buckets of one metric are asked for by their list, or the all-time total by `all`. */
export interface TrackingStore {
  /** Counts a batch, as a whole or not at all. False: it was counted already. */
  apply (batch: Batch): Promise<boolean>
  /** Distinct ids of the union of buckets. */
  count (metric: string, buckets: readonly Bucket[]): Promise<Cardinality>
  /** The same ids, for a union with those of other metrics. */
  sketch (metric: string, buckets: readonly Bucket[]): Promise<Sketch>
  /** The most frequent members of each bucket. @param limit - of each, for those who need no more; 0 for all */
  top (metric: string, buckets: readonly Bucket[] | 'all', limit: number): Promise<Summary[]>
  calls (metric: string, buckets: readonly Bucket[] | 'all'): Promise<number>
}

/** Members the top lists hold at most. */
export interface TopCapacity {
  readonly total: number
  readonly bucket: number
}
