import { PGlite } from '@electric-sql/pglite'
import { randomBytes } from 'node:crypto'
import pg from 'pg'

/** A Postgres schema of the test's own: on a running server where one answers, else in PGlite. */
export interface TestPostgres {
  readonly kind: 'server' | 'pglite'
  /** A `pg.Pool`, or a PGlite instance. */
  readonly pool: pg.Pool | PGlite
  /** Asks whichever it is. */
  query (text: string, params?: unknown[]): Promise<{ rows: Record<string, unknown>[] }>
  /** A URL for another process; undefined with PGlite. */
  readonly url: string | undefined
  stop (): Promise<void>
}

/** Where a Postgres server may be: DATABASE_URL, or the usual place on loopback. */
function databaseUrl (): string {
  return process.env.DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres'
}

/** Makes the schema; `stop` drops it. */
export async function startPostgres (): Promise<TestPostgres> {
  const admin = new pg.Pool({ connectionString: databaseUrl(), max: 1, connectionTimeoutMillis: 1_000 })
  // A pool whose server goes away emits it; the tests see it by their own queries.
  admin.on('error', () => undefined)
  const schema = `respite_test_${randomBytes(6).toString('hex')}`
  try {
    await admin.query(`CREATE SCHEMA ${schema}`)
  } catch {
    await admin.end()
    const lite = await PGlite.create()
    return { kind: 'pglite', pool: lite, query: (text, params) => lite.query(text, params), url: undefined, stop: () => lite.close() }
  }
  const url = new URL(databaseUrl())
  url.searchParams.set('options', `-c search_path=${schema}`)
  const pool = new pg.Pool({ connectionString: url.href, max: 10 })
  pool.on('error', () => undefined)
  return {
    kind: 'server',
    pool,
    query: (text, params) => pool.query(text, params),
    url: url.href,
    async stop () {
      await pool.end()
      await admin.query(`DROP SCHEMA ${schema} CASCADE`)
      await admin.end()
    }
  }
}
