import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FST_RSP_SESSION_DRIVER, FST_RSP_SESSION_SQLITE, FST_RSP_SESSION_STORE_CLOSED, FST_RSP_SESSION_WORKER } from '../errors.ts'
import type { SqlResult, SqlValue } from './database.ts'
import type { SqliteAnswer, SqliteStart } from './sqlite-worker.ts'

interface Waiting { resolve (result: SqlResult): void, reject (error: Error): void }

/** The main thread's side of a SQLite worker: statements by message, one answer each. */
export class SqliteThread {
  readonly #start: SqliteStart
  #worker: Worker | undefined
  #generation = 0
  #closed = false
  #nextId = 1
  readonly #waiting = new Map<number, Waiting>()

  constructor (start: SqliteStart) {
    this.#start = start
  }

  /** Grows with each worker that ends, and with it its connections, their settings and their transactions. */
  get generation (): number {
    return this.#generation
  }

  /**
   * @param generation - of the worker that began the transaction that the statement is part of
   * @throws FST_RSP_SESSION_SQLITE, FST_RSP_SESSION_WORKER, FST_RSP_SESSION_DRIVER, FST_RSP_SESSION_STORE_CLOSED
   */
  async run (connection: 'reader' | 'writer', text: string, params: readonly SqlValue[] = [], generation = this.#generation): Promise<SqlResult> {
    if (this.#closed) throw new FST_RSP_SESSION_STORE_CLOSED()
    if (generation !== this.#generation) throw new FST_RSP_SESSION_WORKER('it ended within a transaction')
    this.#worker ??= this.#spawn()
    const id = this.#nextId++
    return await new Promise<SqlResult>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // What is waited for keeps the process alive; an idle worker does not.
      this.#worker!.ref()
      this.#worker!.postMessage({ id, connection, text, params })
    })
  }

  async close (): Promise<void> {
    this.#closed = true
    await this.#worker?.terminate()
  }

  #spawn (): Worker {
    // The worker's file lies beside this one, as .ts or as .js.
    const worker = new Worker(new URL(`./sqlite-worker${extname(import.meta.url)}`, import.meta.url), { workerData: this.#start })
    let failure: Error | undefined
    worker.on('message', (answer: SqliteAnswer) => this.#settle(answer))
    worker.on('error', error => { failure = error })
    worker.on('exit', code => {
      if (this.#worker === worker) this.#worker = undefined
      this.#generation++
      this.#failAll(worker, failure, code)
    })
    worker.unref()
    return worker
  }

  #settle ({ id, rows, affected, error }: SqliteAnswer): void {
    const waiting = this.#waiting.get(id)
    this.#waiting.delete(id)
    if (this.#waiting.size === 0) this.#worker?.unref()
    if (error === undefined) waiting?.resolve({ rows: rows ?? [], affected: affected ?? 0 })
    else waiting?.reject(new FST_RSP_SESSION_SQLITE(error.code, error.message))
  }

  #failAll (worker: Worker, failure: Error | undefined, code: number): void {
    if (this.#worker !== undefined && this.#worker !== worker) return
    // An error that crosses threads loses its code.
    const missing = /^Cannot find (package|module)/.test(failure?.message ?? '')
    const error = missing
      ? new FST_RSP_SESSION_DRIVER(this.#start.driver, { cause: failure })
      : new FST_RSP_SESSION_WORKER(failure?.message ?? `exit ${code}`, { cause: failure })
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }
}
