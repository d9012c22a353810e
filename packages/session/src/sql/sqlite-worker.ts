import { parentPort, workerData } from 'node:worker_threads'

/** What the main thread asks for. */
export interface SqliteAsk { id: number, connection: 'reader' | 'writer', text: string, params: readonly unknown[] }
/** Wakes a worker whose `ending` is set. */
export const sqliteEnd = 'end'
/** What it is told. */
export interface SqliteAnswer { id: number, rows?: Record<string, unknown>[], affected?: number, error?: { code: string, message: string } }
/** What the worker is started with. */
export interface SqliteStart {
  file: string
  driver: string
  /** Not 0 once the worker is to end, whatever else it was asked. */
  ending: Int32Array
}

interface Statement { readonly reader?: boolean, all (...params: unknown[]): Record<string, unknown>[], run (...params: unknown[]): { changes: number | bigint } }
interface Database { prepare (text: string): Statement, close (): void }
type Opener = new (file: string, options: { timeout: number }) => Database

const { file, driver, ending } = workerData as SqliteStart
const port = parentPort!
const maxStatements = 200

// SQLite's calls block their thread: they run here, and never wait for another process' lock.
const exported = await import(driver) as { default: Opener } | { DatabaseSync: Opener }
const Driver = 'DatabaseSync' in exported ? exported.DatabaseSync : exported.default

function connect () {
  const database = new Driver(file, { timeout: 0 })
  const statements = new Map<string, Statement>()
  return {
    database,
    prepare (text: string): Statement {
      let statement = statements.get(text)
      if (statement === undefined) {
        statement = database.prepare(text)
        if (statements.size < maxStatements) statements.set(text, statement)
      }
      return statement
    }
  }
}

const writer = connect()
// In memory each connection is a database of its own.
const reader = file === ':memory:' ? writer : connect()

function run ({ connection, text, params }: SqliteAsk): Pick<SqliteAnswer, 'rows' | 'affected'> {
  // Statements without rows that are no queries: BEGIN, COMMIT, CREATE, PRAGMA.
  const statement = (connection === 'writer' ? writer : reader).prepare(text)
  // node:sqlite does not say what a statement is.
  const reads = statement.reader ?? /^\s*SELECT/i.test(text)
  return reads ? { rows: statement.all(...params), affected: 0 } : { rows: [], affected: Number(statement.run(...params).changes) }
}

/** Writes the log back into the file and closes it; with its port closed, the thread ends by itself. */
function end (): void {
  // A port that is closed still hands over what has reached it, and a file is closed once.
  port.removeAllListeners('message')
  try {
    // libsql closes a file only once nothing holds one of its statements.
    writer.database.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all()
  } catch {
    // A transaction was cut off: closing rolls it back, and whoever opens the file next reads the log.
  }
  if (reader !== writer) reader.database.close()
  writer.database.close()
  port.close()
}

port.on('message', (ask: SqliteAsk | typeof sqliteEnd) => {
  if (ask === sqliteEnd || Atomics.load(ending, 0) !== 0) return end()
  try {
    port.postMessage({ id: ask.id, ...run(ask) })
  } catch (error) {
    const { code, message } = error as { code?: string, message: string }
    port.postMessage({ id: ask.id, error: { code: String(code ?? 'SQLITE_ERROR'), message } })
  }
})
port.postMessage({ id: 0 })
