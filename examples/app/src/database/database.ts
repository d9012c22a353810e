import { FST_RSP_APP_DATABASE_DOWN } from '../errors.ts'

/** What a statement may be given. */
export type SqlValue = string | number | null

/** Plain SQL over one of two databases; both know the statements of this app. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres'
  /** The definition of a whole number that counts up by itself. */
  readonly identity: string
  /**
   * @param text - with `$1`, `$2` for the values
   * @throws FST_RSP_APP_DATABASE_DOWN; the statements are constant and their values checked, so that nothing else goes wrong
   */
  query<Row> (text: string, values?: readonly SqlValue[]): Promise<Row[]>
  /** Makes what is not there; two processes may ask for it at once. */
  define (statements: readonly string[]): Promise<void>
  close (): Promise<void>
}

/** What to throw when a statement failed. */
export function databaseDown (cause: unknown): Error {
  return Object.assign(new FST_RSP_APP_DATABASE_DOWN(), { cause })
}
