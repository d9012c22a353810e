import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { FST_RSP_SESSION_DRIVER, FST_RSP_SESSION_SQLITE, FST_RSP_SESSION_STORE_CLOSED, FST_RSP_SESSION_WORKER } from '../errors.ts'
import type { SqlResult, SqlValue } from './database.ts'
import type { SqliteAnswer, SqliteAsk, SqliteStart, sqliteEnd } from './sqlite-worker.ts'

/** How long the end of the worker is waited for. */
const endMs = 1_000

interface Waiting { resolve (result: SqlResult): void, reject (error: Error): void }

/** The main thread's side of a SQLite worker: statements by message, one answer each. */
export class SqliteThread {
  readonly #start: SqliteStart
  #worker: Worker | undefined
  #generation = 0
  #ended: Promise<void> | undefined
  #nextId = 1
  readonly #waiting = new Map<number, Waiting>()

  constructor (file: { file: string, driver: string }) {
    this.#start = { ...file, ending: new Int32Array(new SharedArrayBuffer(4)) }
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
    if (this.#ended !== undefined) throw new FST_RSP_SESSION_STORE_CLOSED()
    if (generation !== this.#generation) throw new FST_RSP_SESSION_WORKER('it ended within a transaction')
    this.#worker ??= this.#spawn()
    const id = this.#nextId++
    return await new Promise<SqlResult>((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject })
      // What is waited for keeps the process alive; an idle worker does not.
      this.#worker!.ref()
      this.#worker!.postMessage({ id, connection, text, params } satisfies SqliteAsk)
    })
  }

  /**
   * Takes no more; after the statement that it is in, the worker closes the file and ends. One that takes long is waited for
   * for a second, and keeps the process alive until it has ended.
   */
  close (): Promise<void> {
    this.#ended ??= this.#end()
    return this.#ended
  }

  async #end (): Promise<void> {
    const worker = this.#worker
    if (worker === undefined) return
    worker.ref()
    Atomics.store(this.#start.ending, 0, 1)
    worker.postMessage('end' satisfies typeof sqliteEnd)
    // Never `terminate`: it ends no statement sooner, and a driver that finds its thread stopped ends the whole process.
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, endMs)
      worker.once('exit', () => {
        clearTimeout(timer)
        resolve()
      })
    })
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
    if (this.#waiting.size === 0 && this.#ended === undefined) this.#worker?.unref()
    if (error === undefined) waiting?.resolve({ rows: rows ?? [], affected: affected ?? 0 })
    else waiting?.reject(new FST_RSP_SESSION_SQLITE(error.code, error.message))
  }

  #failAll (worker: Worker, failure: Error | undefined, code: number): void {
    if (this.#worker !== undefined && this.#worker !== worker) return
    const error = this.#ended === undefined ? this.#endOf(failure, code) : new FST_RSP_SESSION_STORE_CLOSED()
    for (const { reject } of this.#waiting.values()) reject(error)
    this.#waiting.clear()
  }

  #endOf (failure: Error | undefined, code: number): Error {
    // An error that crosses threads loses its code.
    if (/^Cannot find (package|module)/.test(failure?.message ?? '')) return new FST_RSP_SESSION_DRIVER(this.#start.driver, { cause: failure })
    return new FST_RSP_SESSION_WORKER(failure?.message ?? `exit ${code}`, { cause: failure })
  }
}
