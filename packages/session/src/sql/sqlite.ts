import { isBuiltin } from 'node:module'
import { setTimeout } from 'node:timers/promises'
import { inspect } from 'node:util'
import { defineOptions, FST_RSP_OPTION_INVALID, systemChance } from '@respite/redis'
import { FST_RSP_SESSION_NODE_SQLITE } from '../errors.ts'
import type { Query, SqlDatabase } from './database.ts'
import { sqlite } from './dialect.ts'
import { SqliteThread } from './sqlite-thread.ts'
import { SqlStore } from './sql-store.ts'
import { UnderWay } from './under-way.ts'

/** How a SQLite file is opened. */
export interface SqliteOptions {
  /** A package installed beside @respite/session, or Node's own, which has it from 22.13 on. @default 'libsql' */
  driver?: 'libsql' | 'better-sqlite3' | 'node:sqlite'
  /** How long a transaction tries to begin while another process writes, ms, at most a minute. @default 2000 */
  busyMs?: number
}

const defineSqlite = defineOptions<SqliteOptions, Required<SqliteOptions>>('@respite/session: sqliteStore', {
  properties: {
    driver: { enum: ['libsql', 'better-sqlite3', 'node:sqlite'], default: 'libsql' },
    busyMs: { type: 'integer', minimum: 0, maximum: 60_000, default: 2_000 }
  }
})

/**
 * Sessions in a SQLite file, which several processes of one machine may share. The calls run in a worker thread.
 * @param file - its path; `:memory:` for tests
 * @throws FST_RSP_OPTION_INVALID; FST_RSP_SESSION_NODE_SQLITE when this Node has no `node:sqlite`
 */
export function sqliteStore (file: string, options?: SqliteOptions): SqlStore {
  if (typeof file !== 'string' || file === '') throw new FST_RSP_OPTION_INVALID('@respite/session', 'sqliteStore(file)', 'must be the path of a file', inspect(file, { depth: 0 }))
  const { driver, busyMs } = defineSqlite(options)
  if (driver === 'node:sqlite' && !isBuiltin(driver)) throw new FST_RSP_SESSION_NODE_SQLITE(driver, process.versions.node)
  return new SqlStore(new SqliteDatabase(new SqliteThread({ file, driver }), busyMs))
}

/** How long a file that is closed waits for what is under way. */
const underWayMs = 2_000

/** A SQLite file by its worker. */
export class SqliteDatabase implements SqlDatabase {
  readonly kind = 'sqlite'
  readonly dialect = sqlite
  readonly #thread: SqliteThread
  readonly #busyMs: number
  // Of each worker.
  #prepared: { readonly generation: number, readonly done: Promise<void> } | undefined
  readonly #underWay = new UnderWay()
  // One writer: transactions of this process follow one another.
  #last: Promise<unknown> = Promise.resolve()

  constructor (thread: SqliteThread, busyMs: number) {
    this.#thread = thread
    this.#busyMs = busyMs
  }

  readonly query: Query = (text, params) => this.#underWay.add(async () => {
    await this.#prepare()
    if (/^\s*SELECT/i.test(text)) return await this.#untilFree(() => this.#thread.run('reader', text, params))
    // A single change is a transaction of its own, and waits its turn.
    return await this.#inTurn(() => this.#untilFree(() => this.#thread.run('writer', text, params)))
  })

  async transaction<T> (run: (query: Query) => Promise<T>): Promise<T> {
    return await this.#underWay.add(() => this.#inTurn(async () => {
      await this.#prepare()
      const { generation } = this.#thread
      // On the connection that began it, or not at all: a new worker's would commit each by itself.
      const query: Query = (text, params) => this.#thread.run('writer', text, params, generation)
      await this.#untilFree(() => query('BEGIN IMMEDIATE'))
      try {
        const result = await run(query)
        // Nothing was committed while the file is busy: to ask again is no second transaction.
        await this.#untilFree(() => query('COMMIT'))
        return result
      } catch (error) {
        // A failed COMMIT may have ended the transaction itself: then there is nothing to roll back, and this says so.
        await query('ROLLBACK').catch(() => undefined)
        throw error
      }
    }))
  }

  alone<T> (run: (query: Query) => Promise<T>): Promise<T> {
    // BEGIN IMMEDIATE is lock enough.
    return this.transaction(run)
  }

  /** Takes no more, lets what is under way end, at most 2 s long, and closes the file. */
  close (): Promise<void> {
    return this.#underWay.end(underWayMs, () => this.#thread.close())
  }

  #prepare (): Promise<void> {
    const { generation } = this.#thread
    if (this.#prepared?.generation !== generation) {
      const done = this.#settings().catch((error: unknown) => {
        this.#prepared = undefined
        throw error
      })
      this.#prepared = { generation, done }
    }
    return this.#prepared.done
  }

  async #settings (): Promise<void> {
    await this.#untilFree(() => this.#thread.run('writer', 'PRAGMA journal_mode = WAL'))
    // A revoke that was acknowledged must survive a loss of power.
    await this.#thread.run('writer', 'PRAGMA synchronous = FULL')
  }

  #inTurn<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work)
    // Whoever comes next starts whatever became of this one, which its own caller is told.
    this.#last = turn.catch(() => undefined)
    return turn
  }

  /** Asks again while another process holds the lock: never blocks a thread. */
  async #untilFree<T> (ask: () => Promise<T>): Promise<T> {
    let waitedMs = 0
    for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 50)) {
      try {
        return await ask()
      } catch (error) {
        if (waitedMs >= this.#busyMs || !/SQLITE_BUSY|database is locked/.test((error as Error).message)) throw error
        const jittered = pauseMs * (0.5 + systemChance())
        await setTimeout(jittered)
        waitedMs += jittered
      }
    }
  }
}
