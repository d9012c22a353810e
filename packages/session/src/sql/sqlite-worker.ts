import { parentPort, workerData } from 'node:worker_threads'

/** What the main thread asks for. */
export interface SqliteAsk { id: number, connection: 'reader' | 'writer', text: string, params: readonly unknown[] }
/** What it is told. */
export interface SqliteAnswer { id: number, rows?: Record<string, unknown>[], affected?: number, error?: { code: string, message: string } }
/** What the worker is started with. */
export interface SqliteStart { file: string, driver: string }

interface Statement { readonly reader?: boolean, all (...params: unknown[]): Record<string, unknown>[], run (...params: unknown[]): { changes: number | bigint } }
interface Database { prepare (text: string): Statement }
type Opener = new (file: string, options: { timeout: number }) => Database

const { file, driver } = workerData as SqliteStart
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

port.on('message', (ask: SqliteAsk) => {
  try {
    port.postMessage({ id: ask.id, ...run(ask) })
  } catch (error) {
    const { code, message } = error as { code?: string, message: string }
    port.postMessage({ id: ask.id, error: { code: String(code ?? 'SQLITE_ERROR'), message } })
  }
})
port.postMessage({ id: 0 })
