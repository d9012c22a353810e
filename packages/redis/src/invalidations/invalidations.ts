/** A process-local copy's view of what the server says. All methods are called synchronously, in the order of the pushes. */
export interface LocalCopies {
  /** These keys were changed, deleted or have expired. */
  changed (keys: readonly string[]): void
  /** Everything may have changed, or the connection was lost: drop all. */
  all (): void
}

/**
 * A question under way. Made before asking; asked again when the answer is there: a copy may be kept only if nothing was
 * said of its key meanwhile, and the connections that would have said it are the same.
 */
export interface Mark {
  /** Whether the answer for this key may be kept as a local copy. */
  mayKeep (key: string): boolean
  /** Ends the mark; always called, or marks pile up. */
  release (): void
}

/**
 * Server-assisted invalidation: a process-local copy is allowed only while the server promises to say when it ends.
 * Embedded it is armed for ever, and only the process's own writes are told.
 */
export interface Invalidations {
  /** Whether local copies may be used and stored now. */
  readonly armed: boolean
  /** Grows when a loss is noticed, and again when arming is confirmed. */
  readonly generation: number
  /** How local copies stay true here: `broadcast` (CLIENT TRACKING … BCAST), `bus` where the server has none, `embedded`. */
  readonly means: 'broadcast' | 'bus' | 'embedded'
  /**
   * Follows all keys that begin with one of `prefixes`.
   * @returns the way to stop
   */
  follow (prefixes: readonly string[], copies: LocalCopies): () => void
  /** Before asking Redis for these keys. Unarmed, nothing of it may be kept. */
  mark (keys: readonly string[]): Mark
  /** More keys for a mark, before asking for them. */
  extend (mark: Mark, keys: readonly string[]): void
  /**
   * This process has changed these keys: local copies go now, marks are spoiled, without waiting for the server's word;
   * where the bus is the means, the others are told. To be called when Redis has answered (or failed to), before resolving.
   */
  changedHere (keys: readonly string[]): void
  /** The same for everything. */
  changedAllHere (): void
  /** Holds local copies back (unarmed) while `held`; for a queue of invalidations that must be drained first. */
  hold (name: string, held: boolean): void
}
