import type { Dialect } from './dialect.ts'

/** What a SQL column may hold here. */
export type SqlValue = string | number | null

export interface SqlResult {
  readonly rows: readonly Record<string, unknown>[]
  /** Rows that a change has met. */
  readonly affected: number
}

/** Runs one statement; `?` stands for a parameter. */
export type Query = (text: string, params?: readonly SqlValue[]) => Promise<SqlResult>

/** A SQL database as the session store needs it. */
export interface SqlDatabase {
  readonly kind: 'mysql' | 'postgres' | 'sqlite'
  readonly dialect: Dialect
  /** One statement, on any connection. */
  readonly query: Query
  /**
   * BEGIN … COMMIT on one pinned connection: READ COMMITTED, or BEGIN IMMEDIATE on SQLite. Rolls back when `run` rejects.
   * What the database rolled back because of a deadlock runs again; nothing does after COMMIT was sent.
   */
  transaction<T> (run: (query: Query) => Promise<T>): Promise<T>
  /** Runs what creates tables, one process after another, as a transaction where the database has that for tables. */
  alone<T> (run: (query: Query) => Promise<T>): Promise<T>
  /** Refuses connections whose settings would break what the store promises. */
  check? (): Promise<void>
  close (): Promise<void>
}
