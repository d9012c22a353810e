/** What the cache of this process has done, over all namespaces. */
export interface CacheStats {
  /** Answers by tier. */
  hits: { l1: number, l2: number }
  /** Reads that no tier answered. */
  misses: number
  /** Hits of all reads, 0 to 1; 0 before the first. */
  hitRatio: number
  /** Local copies. */
  entries: number
  /** Their size in serialised form, with their keys and what it takes to keep them. */
  bytes: number
  /** Local copies pushed out by the bounds. */
  evictions: number
  /** Invalidations that wait for Redis. */
  queued: number
  /** Whether local copies are in use: not while the server's word is missing. */
  local: boolean
}
