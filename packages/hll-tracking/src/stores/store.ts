import { type Bucket, sizeMs } from '../buckets.ts'
import type { Traces } from '../identity.ts'
import type { Identity } from '../identity-key.ts'
import type { Cardinality, Sketch } from '../sketch.ts'
import type { TopEntry } from '../space-saving.ts'
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
  /** The key by which its identities are made. */
  readonly keyId: string
  /** The way its members are made. */
  readonly scheme: string
  readonly entries: readonly BatchEntry[]
}

/** The least calls first, as the top lists want a batch. */
export function byCalls (entries: readonly BatchEntry[]): BatchEntry[] {
  return [...entries].sort((a, b) => a.calls - b.calls)
}

/** How old a batch may be when it is sent, and as old what was seen: older ones are dropped, since nobody knows any more whether they were counted or whom they must leave out. */
export const maxBatchAgeMs = 24 * sizeMs.hour

/**
 * How long a process' last sequence and an erasure are remembered: longer than any batch is sent again. The hour is for events that wait for
 * their flush, and for a process whose clock goes slower than the server's.
 */
export const rememberedMs = maxBatchAgeMs + sizeMs.hour

/** Erasures remembered for a metric at most; beyond, the oldest go. */
export const maxErasures = 10_000

/** A bucket's top list, with how many calls were counted by which scheme: an id may be in it by more than one. */
export interface BucketTop extends Summary {
  /** Calls of all schemes, those not asked for included. */
  readonly calls: number
  readonly callsByScheme: ReadonlyMap<string, number>
}

/** Which part of the top lists is asked for. */
export interface TopWanted {
  /** Members of each, for those who need no more, where all are of one scheme; 0 for all. */
  readonly limit: number
  /** Schemes of which the calls are asked for. */
  readonly schemes: readonly string[]
}

/** An entry of an identity; `undefined` is the all-time list. */
export interface FoundEntry extends TopEntry {
  readonly bucket: Bucket | undefined
}

/** Where counts rest. Buckets of one metric are asked for by their list, or the all-time total by `all`. */
export interface TrackingStore {
  /** Counts a batch, as a whole or not at all. False: it was counted already. */
  apply (batch: Batch): Promise<boolean>
  /** Distinct ids of the union of buckets, counted under one key. */
  count (metric: string, buckets: readonly Bucket[], keyId: string): Promise<Cardinality>
  /** The same ids, for a union with those of other metrics. */
  sketch (metric: string, buckets: readonly Bucket[], keyId: string): Promise<Sketch>
  /** The most frequent members of each bucket. */
  top (metric: string, buckets: readonly Bucket[] | 'all', wanted: TopWanted): Promise<BucketTop[]>
  /** Calls of all ids, exactly. */
  calls (metric: string, buckets: readonly Bucket[] | 'all'): Promise<number>
  /** Makes metrics findable; to be called before they are first counted, and again each minute. */
  register (metrics: readonly string[]): Promise<void>
  /** Metrics of all processes. */
  metrics (): Promise<string[]>
  /** Entries of an identity in the all-time list and those of buckets. */
  find (metric: string, buckets: readonly Bucket[], traces: Traces): Promise<FoundEntry[]>
  /**
   * Removes an identity from the all-time list, the lists of buckets, and the sketches that keep ids one by one; batches of
   * its minute and of those before that come later leave it out. As a whole or not at all.
   * @returns entries that were removed
   */
  erase (metric: string, buckets: readonly Bucket[], traces: Traces): Promise<number>
}

/** Members the top lists hold at most. */
export interface TopCapacity {
  readonly total: number
  readonly bucket: number
}
