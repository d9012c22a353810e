import { startMysql, startPostgres } from '@respite/testing'
import type { Database } from '../../src/database/database.ts'
import { openMysql } from '../../src/database/mysql.ts'
import { overPool } from '../../src/database/postgres.ts'
import { openSqlite } from '../../src/database/sqlite.ts'

/** A database of the test's own, and the way to end it. */
export interface TestDatabase {
  database: Database
  stop (): Promise<void>
}

/** Every database that the stores must work on. */
export const databases: Record<string, (folder: string) => Promise<TestDatabase | undefined>> = {
  async sqlite (folder) {
    const database = await openSqlite(folder)
    return { database, stop: () => database.close() }
  },
  async postgres () {
    const postgres = await startPostgres()
    return { database: overPool(postgres.pool), stop: () => postgres.stop() }
  },
  /** Undefined where there is no server, and none can be started. */
  async mysql () {
    const mysql = await startMysql()
    if (mysql === undefined) return undefined
    const database = await openMysql(mysql.url)
    return {
      database,
      async stop () {
        await database.close()
        await mysql.stop()
      }
    }
  }
}
