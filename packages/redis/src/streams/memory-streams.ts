import type { FastifyBaseLogger } from 'fastify'
import type { BusListener, GapReason, SubscribeOptions } from '../bus/bus.ts'
import { encodeEnvelope } from '../bus/envelope.ts'
import { metrics as named } from '../metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { DurableSubscription } from './durable-subscription.ts'
import type { MemoryLog } from './memory-log.ts'
import { StreamTopic } from './stream-topic.ts'
import { parseStreamId } from './stream-id.ts'
import type { Retention, Streams } from './streams.ts'

export interface MemoryStreamsOptions {
  /** This instance's name on the bus. */
  origin: string
  log: Pick<FastifyBaseLogger, 'error'>
  metrics: Metrics
  /** The topics of all instances in this process. */
  shared: MemoryLog
  /** How long the close waits for listeners that are at work. */
  closeWithinMs: number
}

/** Fan-out within the process, for each listener at its own cursor. */
export class MemoryStreams implements Streams {
  readonly #options: MemoryStreamsOptions
  readonly #topics = new Map<string, StreamTopic>()
  readonly #reading = new Set<StreamTopic>()
  readonly #messages: ReturnType<Metrics['counter']>
  readonly #onGap: (why: GapReason) => void
  readonly #stop: () => void

  constructor (options: MemoryStreamsOptions) {
    this.#options = options
    this.#messages = options.metrics.counter(named.streamMessages)
    const gaps = options.metrics.counter(named.busGaps)
    this.#onGap = why => gaps.of(why).inc()
    this.#stop = options.shared.onAppended(topic => this.#readSoon(this.#topics.get(topic)))
  }

  async publish (topic: string, value: unknown, retention: Retention): Promise<void> {
    const { origin, shared } = this.#options
    shared.append(topic, Buffer.from(encodeEnvelope(topic, { origin, sequence: 0, value })), retention)
    this.#messages.of('published').inc()
  }

  async subscribe (topic: string, listener: BusListener, options: SubscribeOptions): Promise<() => void> {
    const { origin, log, shared } = this.#options
    const state = this.#topics.get(topic) ?? this.#open(topic)
    const subscription = new DurableSubscription(listener, options, { origin, topic, log, onGap: this.#onGap, wants: () => this.#readSoon(state) })
    if (subscription.cursor === undefined) subscription.start(shared.position(topic))
    state.add(subscription)
    this.#readSoon(state)
    return () => {
      state.remove(subscription).catch(() => {}) // a listener's failure is logged where it happens
      if (state.empty && this.#topics.get(topic) === state) this.#topics.delete(topic)
    }
  }

  async close (): Promise<void> {
    this.#stop()
    const topics = [...this.#topics.values()]
    this.#topics.clear()
    await Promise.all(topics.map(topic => topic.endWithin(this.#options.closeWithinMs)))
  }

  #open (topic: string): StreamTopic {
    const { log } = this.#options
    const state = new StreamTopic(topic, topic, {
      position: async () => this.#options.shared.position(topic),
      era: () => undefined,
      count: outcome => this.#messages.of(outcome).inc(),
      renew: () => {},
      broken: () => {},
      left: () => log.error({ topic }, 'a listener of a durable topic was at work for longer than the close waits')
    })
    this.#topics.set(topic, state)
    return state
  }

  // Never within `publish`: with a server no listener runs inside the publisher's call either.
  #readSoon (topic: StreamTopic | undefined): void {
    if (topic === undefined || this.#reading.has(topic)) return
    this.#reading.add(topic)
    setImmediate(() => {
      this.#reading.delete(topic)
      const { room } = topic
      if (room === 0) return
      const { after } = topic
      const entries = this.#options.shared.read(topic.topic, parseStreamId(after)!, room)
      if (entries.length === 0) return
      topic.receive(entries, after)
      this.#readSoon(topic)
    })
  }
}
