import { mysqlStore, postgresStore, type SessionStore, sqliteStore } from '@respite/session'
import { join } from 'node:path'
import type { Environment } from '../environment.ts'
import type { Database } from './database.ts'
import { openMysql } from './mysql.ts'
import { openPostgres, overPool, type PostgresPool } from './postgres.ts'
import { openSqlite } from './sqlite.ts'

/** Where the app keeps what must last. */
export interface Storage {
  database: Database
  sessions: SessionStore
}

/**
 * Postgres or MySQL where a URL is given, Postgres where a pool is, else SQLite files in the data folder.
 * @param pool - opened and closed by the caller
 * @throws FST_RSP_APP_DATABASE
 */
export async function openStorage ({ DATABASE_URL, DATA_DIR }: Pick<Environment, 'DATABASE_URL' | 'DATA_DIR'>, pool?: PostgresPool): Promise<Storage> {
  if (pool !== undefined) return { database: overPool(pool), sessions: postgresStore(pool) }
  if (DATABASE_URL?.startsWith('mysql:')) {
    const database = await openMysql(DATABASE_URL)
    return { database, sessions: mysqlStore(database.pool) }
  }
  if (DATABASE_URL !== undefined) {
    const database = await openPostgres(DATABASE_URL)
    return { database, sessions: postgresStore(database.pool) }
  }
  // A file of their own: they write with every log-in, and nobody waits for the other's lock.
  return { database: await openSqlite(DATA_DIR), sessions: sqliteStore(join(DATA_DIR, 'sessions.sqlite')) }
}
