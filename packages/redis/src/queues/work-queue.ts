import type { FastifyBaseLogger } from 'fastify'
import { decodeEnvelope, encodeEnvelope } from '../bus/envelope.ts'
import type { Clock } from '../clock.ts'
import { FST_RSP_BUS_LETTER_ID_INVALID, FST_RSP_BUS_QUEUE_FULL, FST_RSP_BUS_QUEUE_TWICE } from '../errors.ts'
import { metrics as named } from '../metrics.ts'
import type { CounterSeries, Metric, Metrics } from '../metrics/metrics.ts'
import type { DeadLetter, JobHandler, WorkOptions } from './queue.ts'
import { resolveWorkOptions } from './queue-options.ts'
import type { OpenQueue, QueueDefinition } from './queue-room.ts'
import type { QueueStore } from './queue-store.ts'
import { Worker } from './worker.ts'

export interface WorkQueueContext {
  store: QueueStore
  clock: Clock
  log: Pick<FastifyBaseLogger, 'error'>
  metrics: Metrics
  /** How long jobs at work are waited for at the end. */
  closeWithinMs: number
}

/** Dead letters that are read at once: each may be as large as a message. */
const mostLetters = 1_000
/** Two numbers of 64 bits, as a stream has them. */
const letterId = /^\d{1,19}-\d{1,19}$/

/** A queue over whatever holds its jobs. */
export class WorkQueue<T> implements OpenQueue<T> {
  readonly name: string
  readonly #definition: QueueDefinition<T>
  readonly #about: WorkQueueContext
  readonly #jobs: Metric<CounterSeries>
  #worker: Worker<T> | undefined

  constructor (definition: QueueDefinition<T>, about: WorkQueueContext) {
    this.name = definition.topic.name
    this.#definition = definition
    this.#about = about
    this.#jobs = about.metrics.counter({ ...named.queueJobs, maxSeries: 1_000 })
    about.metrics.gauge({ ...named.queueRunning, collect: gauge => gauge.of(this.name).set(this.#worker?.running ?? 0) })
  }

  async add (given: T): Promise<string> {
    const { origin, options: { maxPending } } = this.#definition
    const value = await this.#definition.fitting(given)
    const id = await this.#about.store.add(encodeEnvelope(this.name, { origin, sequence: 0, value }))
    this.#jobs.of(this.name, id === undefined ? 'full' : 'added').inc()
    if (id === undefined) throw new FST_RSP_BUS_QUEUE_FULL(this.name, maxPending)
    return id
  }

  async work (handler: JobHandler<T>, given: WorkOptions = {}): Promise<() => Promise<void>> {
    if (this.#worker !== undefined) throw new FST_RSP_BUS_QUEUE_TWICE(this.name, 'worked on')
    const { concurrency } = resolveWorkOptions(given)
    const { topic, options } = this.#definition
    const { clock, log, store } = this.#about
    const worker = new Worker<T>({ topic, options, concurrency, handler, clock, log, jobs: this.#jobs })
    this.#worker = worker
    try {
      worker.start(await store.work(worker))
    } catch (error) {
      this.#worker = undefined
      await worker.stop(0)
      throw error
    }
    return async () => {
      await worker.stop(this.#about.closeWithinMs)
      if (this.#worker === worker) this.#worker = undefined
    }
  }

  counts (): Promise<{ pending: number, dead: number }> {
    return this.#about.store.counts()
  }

  async dead ({ count = 100, after }: { count?: number, after?: string } = {}): Promise<DeadLetter<T>[]> {
    if (after !== undefined) this.#checkIds([after])
    const messages = await this.#about.store.dead(Math.min(Math.max(1, Math.floor(count) || 1), mostLetters), after)
    return messages.map(({ message, ...rest }) => {
      const envelope = decodeEnvelope(message)
      return { ...rest, value: typeof envelope === 'string' ? undefined : envelope.value as T }
    })
  }

  async redrive (ids: readonly string[]): Promise<number> {
    this.#checkIds(ids)
    return ids.length === 0 ? 0 : await this.#about.store.redrive(ids)
  }

  async discard (ids: readonly string[]): Promise<number> {
    this.#checkIds(ids)
    return ids.length === 0 ? 0 : await this.#about.store.discard(ids)
  }

  async close (): Promise<void> {
    await this.#worker?.stop(this.#about.closeWithinMs)
  }

  // Before the first: the server refuses one only when it comes to it.
  #checkIds (ids: readonly string[]): void {
    for (const id of ids) if (!letterId.test(id)) throw new FST_RSP_BUS_LETTER_ID_INVALID(String(id).slice(0, 100), this.name)
  }
}
