import Libsql from 'libsql/promise'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { byReturning, type Database, databaseDown, type SqlValue } from './database.ts'
import { FST_RSP_APP_DATABASE } from '../errors.ts'

interface Statement<Row> { all (...values: SqlValue[]): Promise<Row[]> }

/** The file `app.sqlite` in the folder; statements run off the event loop. @throws FST_RSP_APP_DATABASE */
export async function openSqlite (folder: string): Promise<Database> {
  const connection = await open(folder)
  const query = async <Row> (text: string, values: readonly SqlValue[] = []): Promise<Row[]> => {
    try {
      // SQLite numbers `$1` by where it stands, `?1` by its number.
      const statement = await connection.prepare(text.replace(/\$(\d+)/g, '?$1')) as Statement<Row>
      return await statement.all(...values)
    } catch (cause) {
      throw databaseDown(cause)
    }
  }
  return {
    kind: 'sqlite',
    identity: 'INTEGER PRIMARY KEY AUTOINCREMENT',
    name: 'TEXT',
    text: 'TEXT',
    query,
    ...byReturning(query),
    async define (statements) {
      for (const statement of statements) await connection.exec(statement)
    },
    async close () {
      connection.close()
    }
  }
}

async function open (folder: string): Promise<Libsql> {
  const file = join(folder, 'app.sqlite')
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
    const connection = new Libsql(file, {})
    // Two servers may share the file: the second writer waits for the first.
    await connection.exec('PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    return connection
  } catch (cause) {
    throw Object.assign(new FST_RSP_APP_DATABASE(file, (cause as Error).message), { cause })
  }
}
