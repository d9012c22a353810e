import { SqlStore } from './sql-store.ts'
import { whileDeadlocked } from './deadlock.ts'
import { postgres } from './dialect.ts'
import type { Query, SqlDatabase, SqlResult, SqlValue } from './database.ts'
import { checkPool } from './given-pool.ts'

/** What is needed of a `pg.Pool`. */
export interface PgPoolLike {
  query (text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[], rowCount: number | null }>
  connect (): Promise<PgClientLike>
}

/** What is needed of a client of that pool. */
export interface PgClientLike {
  query (text: string, values?: unknown[]): Promise<{ rows: Record<string, unknown>[], rowCount: number | null }>
  release (error?: Error | boolean): void
  on? (event: 'error', listener: () => void): unknown
  off? (event: 'error', listener: () => void): unknown
}

/** What is needed of a PGlite instance. */
export interface PgliteLike {
  query (text: string, values?: unknown[]): Promise<PgliteResult>
  transaction<T> (run: (tx: { query (text: string, values?: unknown[]): Promise<PgliteResult> }) => Promise<T>): Promise<T>
}

interface PgliteResult { rows: unknown[], affectedRows?: number }

/**
 * Sessions in Postgres.
 * @param pool - a `pg.Pool` or a PGlite instance; it stays the caller's, who closes it after the app. Give the pool a
 * `connectionTimeoutMillis`, so that a server that went away is noticed
 * @throws FST_RSP_OPTION_INVALID
 */
export function postgresStore (pool: PgPoolLike | PgliteLike): SqlStore {
  checkPool('postgresStore', pool, { methods: ['query', Object(pool) === pool && 'transaction' in pool ? 'transaction' : 'connect'], wanted: 'a pool of pg, or a PGlite' })
  survive(pool)
  const access = 'transaction' in pool ? overPglite(pool) : overPool(pool)
  return new SqlStore({
    kind: 'postgres',
    dialect: postgres,
    close: async () => undefined,
    ...access,
    alone: run => access.transaction(async query => {
      await query('SELECT pg_advisory_xact_lock(7275341021)')
      return await run(query)
    })
  })
}

/** A pool tells of an idle connection that broke by an event that, unheard, ends the process. */
function survive (pool: object): void {
  const { on, listenerCount } = pool as { on?: (event: string, listener: () => void) => void, listenerCount?: (event: string) => number }
  // Nothing is to be done: the pool replaces it, and the next query says if the server is gone.
  if (on !== undefined && listenerCount?.call(pool, 'error') === 0) on.call(pool, 'error', ignored)
}

const ignored = () => undefined

const deadlock = new Set(['40P01'])

type Access = Pick<SqlDatabase, 'query' | 'transaction'>

function overPool (pool: PgPoolLike): Access {
  const on = (client: Pick<PgPoolLike, 'query'>): Query => async (text, params) => {
    const { rows, rowCount } = await client.query(numbered(text), params as SqlValue[])
    return { rows, affected: rowCount ?? 0 }
  }
  return {
    query: (text, params) => whileDeadlocked(deadlock, () => on(pool)(text, params)),
    async transaction (run) {
      const client = await pool.connect()
      let broken: Error | undefined
      let tried = false
      // The pool listens to idle clients alone: unheard, the event ends the process. The next query says what happened.
      client.on?.('error', ignored)
      try {
        const result = await whileDeadlocked(deadlock, async () => {
          // Also ends what a deadlock has left of the attempt before; where there is nothing, Postgres only notes it.
          if (tried) await client.query('ROLLBACK')
          tried = true
          await client.query('BEGIN ISOLATION LEVEL READ COMMITTED')
          return await run(on(client))
        })
        await client.query('COMMIT')
        return result
      } catch (error) {
        // A connection that cannot even roll back is thrown away with its transaction.
        await client.query('ROLLBACK').catch((reason: Error) => { broken = reason })
        throw error
      } finally {
        client.off?.('error', ignored)
        client.release(broken)
      }
    }
  }
}

function overPglite (lite: PgliteLike): Access {
  const on = (client: { query (text: string, values?: unknown[]): Promise<PgliteResult> }): Query => async (text, params): Promise<SqlResult> => {
    const { rows, affectedRows } = await client.query(numbered(text), params as SqlValue[])
    return { rows: rows as Record<string, unknown>[], affected: affectedRows ?? 0 }
  }
  return { query: on(lite), transaction: run => lite.transaction(tx => run(on(tx))) }
}

// The texts are a few dozen; lists of ids make a few more.
const texts = new Map<string, string>()
const maxTexts = 1_000

/** `?` as Postgres wants it: `$1`, `$2`, … */
function numbered (text: string): string {
  const known = texts.get(text)
  if (known !== undefined) return known
  let n = 0
  const written = text.replaceAll('?', () => `$${++n}`)
  if (texts.size < maxTexts) texts.set(text, written)
  return written
}
