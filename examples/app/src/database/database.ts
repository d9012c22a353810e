import { FST_RSP_APP_DATABASE_DOWN } from '../errors.ts'

/** What a statement may be given. */
export type SqlValue = string | number | null

/** Plain SQL over one of three databases; all know the statements of this app. */
export interface Database {
  readonly kind: 'sqlite' | 'postgres' | 'mysql'
  /** The definition of a whole number that counts up by itself. */
  readonly identity: string
  /** The type of a name, which is compared by its bytes and may be unique. */
  readonly name: string
  /** The type of any other text, up to 64 KB. */
  readonly text: string
  /**
   * @param text - with `$1`, `$2` for the values
   * @throws FST_RSP_APP_DATABASE_DOWN; the statements are constant and their values checked, so that nothing else goes wrong
   */
  query<Row> (text: string, values?: readonly SqlValue[]): Promise<Row[]>
  /**
   * Adds a row.
   * @returns its id, or undefined where its name is taken
   */
  insert (text: string, values: readonly SqlValue[]): Promise<number | undefined>
  /** Changes or deletes rows; resolves to how many it met. */
  change (text: string, values: readonly SqlValue[]): Promise<number>
  /** Makes what is not there; two processes may ask for it at once. */
  define (statements: readonly string[]): Promise<void>
  close (): Promise<void>
}

/** What to throw when a statement failed. */
export function databaseDown (cause: unknown): Error {
  return Object.assign(new FST_RSP_APP_DATABASE_DOWN(), { cause })
}

/** `insert` and `change` of a database that can return the rows they meet. */
export function byReturning (query: Database['query']): Pick<Database, 'insert' | 'change'> {
  return {
    insert: async (text, values) => (await query<{ id: number }>(`${text} ON CONFLICT DO NOTHING RETURNING id`, values))[0]?.id,
    change: async (text, values) => (await query(`${text} RETURNING id`, values)).length
  }
}
