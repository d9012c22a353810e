import { FST_RSP_SESSION_MIGRATION_LOCKED, FST_RSP_SESSION_MYSQL_POOL } from '../errors.ts'
import type { Query, SqlDatabase, SqlResult, SqlValue } from './database.ts'
import { whileDeadlocked } from './deadlock.ts'
import { mysql } from './dialect.ts'
import { checkPool } from './given-pool.ts'
import { SqlStore } from './sql-store.ts'

/** What is needed of a connection of `mysql2/promise`. */
export interface MysqlConnectionLike {
  query (text: string): Promise<[unknown, unknown]>
  execute (options: { sql: string, values: (string | null)[], rowsAsArray: false }): Promise<[unknown, unknown]>
  release (): void
  destroy (): void
}

/** What is needed of a pool of `mysql2/promise`. */
export interface MysqlPoolLike extends Pick<MysqlConnectionLike, 'execute'> {
  getConnection (): Promise<MysqlConnectionLike>
}

/**
 * Sessions in MySQL or MariaDB, in tables of InnoDB.
 * @param pool - a pool of `mysql2/promise`; it stays the caller's, who closes it after the app. Give the pool a `queueLimit`,
 * so that what waits while the server is down is bounded
 * @throws FST_RSP_OPTION_INVALID
 */
export function mysqlStore (pool: MysqlPoolLike): SqlStore {
  // A pool of mysql2 itself takes callbacks, and its promises never come.
  checkPool('mysqlStore', 'promise' in Object(pool) ? undefined : pool, { methods: ['getConnection', 'execute'], wanted: 'a pool of mysql2/promise' })
  return new SqlStore(new MysqlDatabase(pool))
}

class MysqlDatabase implements SqlDatabase {
  readonly kind = 'mysql'
  readonly dialect = mysql
  readonly #pool: MysqlPoolLike

  constructor (pool: MysqlPoolLike) {
    this.#pool = pool
  }

  readonly query: Query = async (text, params) => {
    if (/^\s*SELECT/i.test(text)) return await on(this.#pool)(text, params)
    return await this.#pinned(connection => whileDeadlocked(deadlock, async () => {
      // A single change is a transaction of its own, which would otherwise lock gaps between rows.
      await connection.query(readCommitted)
      return await on(connection)(text, params)
    }))
  }

  async transaction<T> (run: (query: Query) => Promise<T>): Promise<T> {
    return await this.#pinned(async connection => {
      const result = await whileDeadlocked(deadlock, async () => {
        await connection.query(readCommitted)
        await connection.query('START TRANSACTION')
        return await run(on(connection))
      })
      await connection.query('COMMIT')
      return result
    })
  }

  /** Each statement that defines something is committed at once: what a process left half made is met again, and passed over. */
  async alone<T> (run: (query: Query) => Promise<T>): Promise<T> {
    return await this.#pinned(async connection => {
      const query = on(connection)
      // Of the server, not of a database: the name says which one.
      const lock = "LEFT(CONCAT('respite-session ', DATABASE()), 64)"
      const { rows } = await query(`SELECT GET_LOCK(${lock}, ${lockSeconds}) AS held`)
      if (Number(rows[0]?.held) !== 1) throw new FST_RSP_SESSION_MIGRATION_LOCKED(lockSeconds)
      try {
        return await run((text, params) => query(text, params).catch(unlessMade))
      } finally {
        // A connection that cannot do that has lost its lock with itself.
        await query(`SELECT RELEASE_LOCK(${lock})`).catch(() => undefined)
      }
    })
  }

  async check (): Promise<void> {
    const { rows: [row] } = await this.query('SELECT @@autocommit AS autocommit, @@character_set_client AS charset')
    const { autocommit, charset } = row as { autocommit: number | string, charset: string }
    // Without it a single change is never committed, and a look-up sees what was so when its connection was made.
    if (Number(autocommit) !== 1) throw new FST_RSP_SESSION_MYSQL_POOL('autocommit', String(autocommit), '1')
    // Else what it has no sign for is refused, or becomes a question mark.
    if (charset !== 'utf8mb4') throw new FST_RSP_SESSION_MYSQL_POOL('character_set_client', charset, 'utf8mb4')
  }

  async close (): Promise<void> {
    // The pool is the caller's.
  }

  async #pinned<T> (work: (connection: MysqlConnectionLike) => Promise<T>): Promise<T> {
    const connection = await this.#pool.getConnection()
    let broken = false
    try {
      return await work(connection)
    } catch (error) {
      // A connection that cannot even roll back is thrown away with its transaction.
      await connection.query('ROLLBACK').catch(() => { broken = true })
      throw error
    } finally {
      if (broken) connection.destroy()
      else connection.release()
    }
  }
}

const readCommitted = 'SET TRANSACTION ISOLATION LEVEL READ COMMITTED'
const deadlock = new Set(['ER_LOCK_DEADLOCK'])

// Within the time a plugin has to boot.
const lockSeconds = 8

/** Prepared statements: no value is ever part of a text. */
function on (access: Pick<MysqlConnectionLike, 'execute'>): Query {
  return async (text, params = []) => {
    const [result] = await access.execute({ sql: text, values: params.map(written), rowsAsArray: false })
    return Array.isArray(result) ? { rows: result as Record<string, unknown>[], affected: 0 } : { rows: [], affected: matched(result as Outcome) }
  }
}

/** A number as text: mysql2 may send it as a DOUBLE, which MySQL refuses in LIMIT. */
function written (value: SqlValue): string | null {
  return typeof value === 'number' ? String(value) : value
}

interface Outcome { affectedRows: number, info?: string }

/** Rows that an UPDATE has met, whether or not they were as they should be before; a pool without FOUND_ROWS says that only here. */
function matched ({ affectedRows, info }: Outcome): number {
  const met = /Rows matched: (\d+)/.exec(info ?? '')
  return met === null ? affectedRows : Number(met[1])
}

const madeBefore = new Set(['ER_TABLE_EXISTS_ERROR', 'ER_DUP_FIELDNAME', 'ER_DUP_KEYNAME', 'ER_DUP_ENTRY'])

function unlessMade (error: { code?: string }): SqlResult {
  if (madeBefore.has(error.code ?? '')) return { rows: [], affected: 0 }
  throw error
}
