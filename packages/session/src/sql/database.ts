/** What a SQL column may hold here. */
export type SqlValue = string | number | null

export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[]
  /** Rows that a statement has changed. */
  readonly affected: number
}

/** Runs one statement; `?` stands for a parameter. */
export type Query = (text: string, params?: readonly SqlValue[]) => Promise<SqlResult>

/** A SQL database as the session store needs it. */
export interface SqlDatabase {
  readonly kind: 'postgres' | 'sqlite'
  /** The server's clock in ms since the epoch, as an expression that is evaluated after any lock wait. */
  readonly now: string
  /** One statement, on any connection. */
  readonly query: Query
  /**
   * BEGIN … COMMIT on one pinned connection: READ COMMITTED, or BEGIN IMMEDIATE on SQLite. Rolls back when `run` rejects.
   * Nothing is tried again after COMMIT was sent.
   */
  transaction<T> (run: (query: Query) => Promise<T>): Promise<T>
  /** Held by a transaction that creates tables; a statement, if the database needs one. */
  readonly migrationLock: string | undefined
  close (): Promise<void>
}
