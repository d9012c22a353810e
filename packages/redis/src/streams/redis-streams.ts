import type { FastifyBaseLogger } from 'fastify'
import type { BusListener, GapReason, SubscribeOptions } from '../bus/bus.ts'
import { encodeEnvelope } from '../bus/envelope.ts'
import { type MessageCounts, messageCounts } from '../bus/message-counts.ts'
import type { Adapter } from '../clients/adapter.ts'
import { FST_RSP_BUS_FOREIGN_ID, type LinkError } from '../errors.ts'
import type { Keyspace } from '../keyspace.ts'
import { keys } from '../keys.ts'
import type { Link } from '../link/link.ts'
import { metrics as named } from '../metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { loadScript } from '../script.ts'
import { bucketOf } from './bucket.ts'
import { DurableSubscription } from './durable-subscription.ts'
import { ReadingLanes } from './reading-lanes.ts'
import { parseStreamId, type StreamId } from './stream-id.ts'
import { StreamTopic } from './stream-topic.ts'
import { numbersOutliveMs, type Retention, type Streams } from './streams.ts'

const publishing = loadScript('bus.stream-publish', new URL('../../lua/stream-publish.lua', import.meta.url))
const positioning = loadScript('bus.stream-position', new URL('../../lua/stream-position.lua', import.meta.url))

const placeAgainMs = 500

// Redis before 7 puts words of its own before what a command in a script was answered.
const isOfTheKey = (error: LinkError) => error instanceof FST_RSP_BUS_FOREIGN_ID || (error.outcome === 'refused' && /\b(?:WRONGTYPE|NOPERM)\b/.test(error.message))

export interface RedisStreamsOptions {
  /** This instance's name on the bus. */
  origin: string
  adapter: Adapter
  link: Link
  keyspace: Keyspace
  metrics: Metrics
  log: Pick<FastifyBaseLogger, 'error'>
  /** How long the close waits for listeners that are at work. */
  closeWithinMs: number
  /** How long a read waits for messages. @default 1000 */
  blockMs?: number
  /** How late its answer may be. @default 1000 */
  deadlineMs?: number
}

/** Fan-out over Redis Streams: XADD, and a connection of its own that blocks in XREAD. */
export class RedisStreams implements Streams {
  readonly #options: RedisStreamsOptions
  readonly #keysOf: (topic: string) => [stream: string, last: string]
  readonly #lanes: ReadingLanes
  readonly #topics = new Map<string, StreamTopic>()
  /** Listeners of which it is not known yet where they begin. */
  readonly #unplaced = new Map<DurableSubscription, StreamTopic>()
  /** Those of them of which it is being asked. */
  readonly #asking = new Set<DurableSubscription>()
  #placeTimer: NodeJS.Timeout | undefined
  readonly #count: MessageCounts
  readonly #onGap: (why: GapReason) => void

  constructor (options: RedisStreamsOptions) {
    const { adapter, link, keyspace, metrics, log, blockMs = 1_000, deadlineMs = 1_000 } = options
    this.#options = options
    const [stream, last] = [keyspace.define(keys.stream.template), keyspace.define(keys.streamLast.template)]
    this.#keysOf = topic => [stream.key(bucketOf(topic), topic), last.key(bucketOf(topic), topic)]
    const failed = (error: Error) => log.error({ err: error }, 'the server refuses to let durable topics be read')
    this.#lanes = new ReadingLanes(adapter, { command: ['XREAD'], blockMs, deadlineMs, failed })
    this.#count = messageCounts(metrics.counter(named.streamMessages))
    const gaps = metrics.counter(named.busGaps)
    this.#onGap = why => gaps.of(why).inc()
    link.on('state', () => this.#placeLate())
  }

  async publish (topic: string, value: unknown, { maxLength, keepMs }: Retention): Promise<void> {
    const text = encodeEnvelope(topic, { origin: this.#options.origin, sequence: 0, value })
    try {
      await this.#options.link.run(publishing, this.#keysOf(topic), [text, maxLength, keepMs, keepMs + numbersOutliveMs])
      this.#count.published.inc()
    } catch (error) {
      this.#count.failed.inc()
      throw error
    }
  }

  async subscribe (topic: string, listener: BusListener, options: SubscribeOptions): Promise<() => void> {
    const { origin, log } = this.#options
    const state = this.#topics.get(topic) ?? this.#open(topic)
    const subscription = new DurableSubscription(listener, options, { origin, topic, log, onGap: this.#onGap, wants: () => this.#lanes.wake(state) })
    state.add(subscription)
    const stop = () => {
      this.#unplaced.delete(subscription)
      state.remove(subscription).catch(() => {}) // a listener's failure is logged where it happens
      if (state.empty) this.#drop(state)
    }
    try {
      if (subscription.cursor === undefined) {
        this.#unplaced.set(subscription, state)
        await this.#begin(subscription, state)
      }
    } catch (error) {
      stop()
      throw error
    }
    this.#lanes.wake(state)
    return stop
  }

  async close (): Promise<void> {
    this.#lanes.close()
    this.#unplaced.clear()
    clearTimeout(this.#placeTimer)
    await Promise.all(Array.from(this.#topics.values(), topic => topic.endWithin(this.#options.closeWithinMs)))
  }

  #open (topic: string): StreamTopic {
    const [key] = this.#keysOf(topic)
    const { link, log } = this.#options
    const state: StreamTopic = new StreamTopic(topic, key, {
      position: () => this.#position(topic),
      era: () => link.eraOf(key),
      count: outcome => this.#count[outcome].inc(),
      renew: reason => this.#lanes.renew(state, reason),
      broken: error => log.error({ err: error, topic }, 'a durable topic cannot be read'),
      left: () => log.error({ topic }, 'a listener of a durable topic was at work for longer than the close waits')
    })
    this.#topics.set(topic, state)
    this.#lanes.add(state)
    return state
  }

  #drop (topic: StreamTopic): void {
    if (this.#topics.get(topic.topic) === topic) this.#topics.delete(topic.topic)
    this.#lanes.remove(topic).catch(() => {}) // it never rejects
  }

  /** @throws where the server says that this is no stream, or not ours to read */
  async #begin (subscription: DurableSubscription, topic: StreamTopic): Promise<void> {
    this.#asking.add(subscription)
    try {
      subscription.start(await this.#position(topic.topic))
      this.#unplaced.delete(subscription)
    } catch (error) {
      subscription.late()
      if (isOfTheKey(error as LinkError)) throw error
      this.#placeSoon()
    } finally {
      this.#asking.delete(subscription)
    }
  }

  // The link may be up all the while, and an answer have been late. One timer for all: with one each, every round would be of all for each.
  #placeSoon (): void {
    if (this.#unplaced.size === 0) return
    this.#placeTimer ??= setTimeout(() => {
      this.#placeTimer = undefined
      this.#placeLate()
    }, placeAgainMs).unref()
  }

  #placeLate (): void {
    if (this.#options.link.state !== 'up') return
    for (const [subscription, topic] of this.#unplaced) {
      if (this.#asking.has(subscription)) continue
      this.#begin(subscription, topic).then(() => this.#lanes.wake(topic), async error => {
        await topic.refused(error)
        this.#placeSoon()
      })
    }
  }

  async #position (topic: string): Promise<StreamId> {
    const text = String(await this.#options.link.run(positioning, this.#keysOf(topic), []))
    const id = parseStreamId(text)
    if (id === undefined) throw new FST_RSP_BUS_FOREIGN_ID(topic, text)
    return id
  }
}
