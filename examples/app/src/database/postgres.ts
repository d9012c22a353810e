import type { PgliteLike, PgPoolLike } from '@respite/session'
import pg from 'pg'
import { byReturning, type Database, databaseDown, type SqlValue } from './database.ts'
import { FST_RSP_APP_DATABASE } from '../errors.ts'

/** A `pg.Pool`, or a PGlite instance, whose way to several statements in one text is `exec`. */
export type PostgresPool = PgPoolLike | (PgliteLike & { exec (text: string): Promise<unknown> })

// Any number that all instances of the app agree on.
const schemaLock = 7_236_914

/** A pool of the app's own. @throws FST_RSP_APP_DATABASE */
export async function openPostgres (url: string): Promise<Database & { pool: pg.Pool }> {
  const pool = new pg.Pool({ connectionString: url, max: 10, connectionTimeoutMillis: 2_000, query_timeout: 5_000 })
  // An idle connection that breaks is replaced by the pool; the next query tells whether the server is there.
  pool.on('error', () => undefined)
  try {
    await pool.query('SELECT 1')
  } catch (cause) {
    await pool.end()
    throw Object.assign(new FST_RSP_APP_DATABASE('DATABASE_URL', (cause as Error).message), { cause })
  }
  return { ...overPool(pool), pool, close: () => pool.end() }
}

/** The database behind a pool that somebody else opened, and closes. */
export function overPool (pool: PostgresPool): Database {
  const query = async <Row> (text: string, values: readonly SqlValue[] = []): Promise<Row[]> => {
    try {
      const { rows } = await pool.query(text, [...values])
      return rows as Row[]
    } catch (cause) {
      throw databaseDown(cause)
    }
  }
  return {
    kind: 'postgres',
    identity: 'INTEGER GENERATED ALWAYS AS IDENTITY PRIMARY KEY',
    name: 'TEXT',
    text: 'TEXT',
    query,
    ...byReturning(query),
    async define (statements) {
      // IF NOT EXISTS alone lets two servers that start at once collide.
      const text = ['BEGIN', `SELECT pg_advisory_xact_lock(${schemaLock})`, ...statements, 'COMMIT'].join(';\n')
      await ('exec' in pool ? pool.exec(text) : pool.query(text))
    },
    async close () {
      // The pool belongs to whoever gave it.
    }
  }
}
