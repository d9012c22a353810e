import { inspect } from 'node:util'
import { FST_RSP_BUS_FROM, FST_RSP_BUS_INVALID, FST_RSP_BUS_QUEUE_TWICE } from '../errors.ts'
import { metrics as named } from '../metrics.ts'
import type { CounterSeries, Metrics } from '../metrics/metrics.ts'
import { isPromiseLike } from '../promise-like.ts'
import type { Queue, QueueOptions } from '../queues/queue.ts'
import { resolveQueueOptions } from '../queues/queue-options.ts'
import type { OpenQueue, QueueRoom } from '../queues/queue-room.ts'
import { parseStreamId } from '../streams/stream-id.ts'
import type { Retention, Streams } from '../streams/streams.ts'
import type { Bus, BusListener, PlainBus, PublishOptions, SubscribeOptions } from './bus.ts'
import { defineTopic, type TypedTopic } from './topic-definition.ts'

export interface MessageBusParts {
  plain: PlainBus & { close (): Promise<void> }
  streams: Streams
  queues: QueueRoom
  metrics: Metrics
  /** Of durable topics that say nothing of it. */
  retention: Retention
}

/** The three forms of messages behind one door, and what they share: topics with types. */
export class MessageBus implements Bus {
  readonly #parts: MessageBusParts
  readonly #queues = new Map<string, Pick<OpenQueue, 'close'>>()
  readonly #misfits: Record<'out' | 'in', CounterSeries>
  #closing: Promise<void> | undefined

  constructor (parts: MessageBusParts) {
    this.#parts = parts
    const misfits = parts.metrics.counter(named.busInvalid)
    this.#misfits = { out: misfits.of('out'), in: misfits.of('in') }
  }

  get origin (): string {
    return this.#parts.plain.origin
  }

  get instances (): number {
    return this.#parts.plain.instances
  }

  async publish<T> (topic: string | TypedTopic<T>, given: NoInfer<T>, options: PublishOptions = {}): Promise<void> {
    if (typeof topic === 'string') return await this.#publish(topic, given, options.durable === true ? this.#parts.retention : undefined)
    const value = await this.#fitting(topic, given)
    await this.#publish(topic.name, value, options.durable ?? topic.durable ? this.#retentionOf(topic) : undefined)
  }

  async subscribe<T> (topic: string | TypedTopic<T>, listener: BusListener<NoInfer<T>>, options: SubscribeOptions = {}): Promise<() => void> {
    const { plain, streams } = this.#parts
    const [name, durable, heard] = typeof topic === 'string'
      ? [topic, options.durable === true, listener as BusListener]
      : [topic.name, options.durable ?? topic.durable, this.#guarded(topic, listener, options)]
    const { from = 'now' } = options
    if (from !== 'now' && !durable) throw new FST_RSP_BUS_FROM(inspect(from), 'the topic is not durable')
    if (from !== 'now' && from !== 'start' && (typeof from !== 'string' || parseStreamId(from) === undefined)) {
      throw new FST_RSP_BUS_FROM(inspect(from, { maxStringLength: 50 }), 'it is neither now, start, nor the id of a message')
    }
    return await (durable ? streams : plain).subscribe(name, heard, options)
  }

  queue<T = unknown> (topic: string | TypedTopic<T>, options: QueueOptions = {}): Queue<T> {
    const typed = typeof topic === 'string' ? defineTopic<T>(topic) : topic
    const { name } = typed
    if (this.#queues.has(name)) throw new FST_RSP_BUS_QUEUE_TWICE(name, 'defined')
    const fitting = (value: unknown) => this.#fitting(typed, value)
    const queue = this.#parts.queues.open<T>({ topic: typed, fitting, origin: this.origin, options: resolveQueueOptions(options) })
    this.#queues.set(name, queue)
    return queue
  }

  close (): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close (): Promise<void> {
    const { plain, streams, queues } = this.#parts
    await Promise.all([...Array.from(this.#queues.values(), queue => queue.close()), streams.close()])
    queues.close()
    await plain.close()
  }

  #publish (topic: string, value: unknown, retention: Retention | undefined): Promise<void> {
    const { plain, streams } = this.#parts
    return retention === undefined ? plain.publish(topic, value) : streams.publish(topic, value, retention)
  }

  #retentionOf ({ maxLength, keepMs }: Pick<TypedTopic<unknown>, 'maxLength' | 'keepMs'>): Retention {
    const { retention } = this.#parts
    return { maxLength: maxLength ?? retention.maxLength, keepMs: keepMs ?? retention.keepMs }
  }

  async #fitting<T> (topic: TypedTopic<T>, value: unknown): Promise<T> {
    const checked = await topic.check(value)
    if (!('misfit' in checked)) return checked.value
    this.#misfits.out.inc()
    throw new FST_RSP_BUS_INVALID(topic.name, checked.misfit)
  }

  /** What does not fit is a missed message. */
  #guarded<T> (topic: TypedTopic<T>, listener: BusListener<T>, { onGap }: SubscribeOptions): BusListener {
    return (value, info) => {
      const checked = topic.check(value)
      const hand = (result: Awaited<typeof checked>) => {
        if (!('misfit' in result)) return listener(result.value, info)
        this.#misfits.in.inc()
        this.#parts.metrics.counter(named.busGaps).of('invalid').inc()
        return onGap?.('invalid')
      }
      return isPromiseLike(checked) ? checked.then(hand) : hand(checked)
    }
  }
}
