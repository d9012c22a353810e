/** What a means of invalidation says to the keeper of the local copies. */
export interface Word {
  /** The word of others reaches us, and is sure to until then (monotonic ms). */
  sure (untilMs: number): void
  /** It may not have reached us. */
  lost (reason: Error): void
  changed (keys: readonly string[]): void
  changedAll (): void
}

/** A way by which the changes of others are heard. */
export interface WordBearer {
  readonly means: 'broadcast' | 'bus'
  /** What is followed has grown by a prefix that was not covered. */
  prefixesGrew (): void
  /** This process has changed these keys; undefined: everything. */
  tell (keys: readonly string[] | undefined): void
  close (): Promise<void>
}
