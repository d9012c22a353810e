import type { FastifyBaseLogger } from 'fastify'
import type { Adapter } from '../clients/adapter.ts'
import type { Clock } from '../clock.ts'
import type { Keyspace } from '../keyspace.ts'
import { keys } from '../keys.ts'
import type { Link } from '../link/link.ts'
import { metrics as named } from '../metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { bucketOf } from '../streams/bucket.ts'
import { ReadingLanes } from '../streams/reading-lanes.ts'
import type { OpenQueue, QueueDefinition, QueueRoom } from './queue-room.ts'
import { RedisQueueStore } from './redis-queue-store.ts'
import { WorkQueue } from './work-queue.ts'

export interface RedisQueueRoomOptions {
  adapter: Adapter
  link: Link
  keyspace: Keyspace
  metrics: Metrics
  log: Pick<FastifyBaseLogger, 'error'>
  clock: Clock
  /** How long jobs at work are waited for at the end. */
  closeWithinMs: number
  /** How long a read waits for jobs. @default 1000 */
  blockMs?: number
  /** How late its answer may be. @default 1000 */
  deadlineMs?: number
}

/** Queues over Redis Streams; those of a server share one connection that blocks in XREADGROUP. */
export class RedisQueueRoom implements QueueRoom {
  readonly #options: RedisQueueRoomOptions
  readonly #keysOf: (name: string) => [queue: string, dead: string]
  #lanes: ReadingLanes | undefined

  constructor (options: RedisQueueRoomOptions) {
    this.#options = options
    const [queue, dead] = [options.keyspace.define(keys.queue.template), options.keyspace.define(keys.queueDead.template)]
    this.#keysOf = name => [queue.key(bucketOf(name), name), dead.key(bucketOf(name), name)]
  }

  open<T> (definition: QueueDefinition<T>): OpenQueue<T> {
    const { adapter, link, clock, log, metrics, closeWithinMs, blockMs = 1_000, deadlineMs = 1_000 } = this.#options
    const { origin: worker, options, topic: { name } } = definition
    const [queueKey, deadKey] = this.#keysOf(name)
    const failed = (error: Error) => log.error({ err: error }, 'the server refuses to let queues be read')
    this.#lanes ??= new ReadingLanes(adapter, { command: ['XREADGROUP', 'GROUP', 'workers', worker], blockMs, deadlineMs, failed })
    const jobs = metrics.counter({ ...named.queueJobs, maxSeries: 1_000 })
    const store = new RedisQueueStore({
      queueKey,
      deadKey,
      worker,
      options,
      link,
      lanes: this.#lanes,
      onClaimed: (reclaimed, dead) => {
        jobs.of(name, 'reclaimed').inc(reclaimed)
        jobs.of(name, 'dead').inc(dead)
      },
      broken: error => log.error({ err: error, queue: name }, 'a queue cannot be read')
    })
    return new WorkQueue(definition, { store, clock, log, metrics, closeWithinMs })
  }

  close (): void {
    this.#lanes?.close()
  }
}
