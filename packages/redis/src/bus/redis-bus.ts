import type { FastifyBaseLogger } from 'fastify'
import type { Adapter, Node } from '../clients/adapter.ts'
import type { WatchTiming } from '../clients/watched-subscriber.ts'
import type { Keyspace } from '../keyspace.ts'
import type { Link } from '../link/link.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { type Chance, randomToken, systemChance } from '../random.ts'
import { type Clock, systemClock } from '../clock.ts'
import { keys } from '../keys.ts'
import { metrics as named } from '../metrics.ts'
import type { BusListener, PlainBus, SubscribeOptions } from './bus.ts'
import { encodeEnvelope } from './envelope.ts'
import { Instances, instancesTopic } from './instances.ts'
import { Lane } from './lane.ts'
import { type MessageCounts, messageCounts } from './message-counts.ts'
import { OwnSequences } from './own-sequences.ts'
import { Topic, type TopicWatch } from './topic.ts'
import { TopicListeners } from './topic-listeners.ts'

export interface RedisBusOptions {
  adapter: Adapter
  link: Link
  keyspace: Keyspace
  metrics: Metrics
  log: Pick<FastifyBaseLogger, 'error'>
  /** @default systemClock */
  clock?: Clock
  /** @default systemChance */
  chance?: Chance
  /** Time between two questions whether a connection still lives. @default 1000 */
  heartbeatMs?: number
  /** How late their answer, and that to a subscription, may be. @default 1000 */
  deadlineMs?: number
}

/** The bus over Redis: PUBLISH, or SPUBLISH in a Cluster that has it, and a connection of its own for what comes. */
export class RedisBus implements PlainBus {
  readonly origin = randomToken()
  readonly #options: RedisBusOptions
  readonly #timing: WatchTiming
  readonly #channel: (topic: string) => string
  readonly #listeners: TopicListeners
  readonly #sequences = new OwnSequences()
  readonly #instances: Instances
  readonly #topics = new Map<string, Topic>()
  readonly #lanes = new Map<string, Lane>()
  readonly #count: MessageCounts
  #closed = false

  constructor (options: RedisBusOptions) {
    const { adapter, link, keyspace, metrics, log, clock = systemClock, chance = systemChance, heartbeatMs = 1_000, deadlineMs = 1_000 } = options
    this.#options = options
    this.#timing = { heartbeatMs, deadlineMs, clock }
    this.#channel = keyspace.define(keys.bus.template).key
    const gaps = metrics.counter(named.busGaps)
    this.#listeners = new TopicListeners({ origin: this.origin, log, onHeard: origin => this.#instances.heard(origin), onGap: why => gaps.of(why).inc() })
    this.#count = messageCounts(metrics.counter(named.busMessages))
    // What is said of an instance is of use only at once: a beat that fails is made up for by the next.
    this.#instances = new Instances({ clock, chance, say: what => { this.publish(instancesTopic, what).catch(() => {}) } })
    metrics.gauge({ ...named.busInstances, collect: gauge => gauge.of().set(this.instances) })
    adapter.on('ready', () => this.#place())
    adapter.on('topology', () => this.#place())
    link.on('state', () => this.#place())
    this.#open(instancesTopic).watch({ live: () => this.#instances.listening(), lost: () => this.#instances.deaf() })
    this.#instances.start(this).catch(error => log.error({ err: error }, 'the bus cannot count instances'))
  }

  get instances (): number {
    return this.#instances.count
  }

  async publish (topic: string, value: unknown): Promise<void> {
    const sequence = this.#sequences.next(topic)
    const text = encodeEnvelope(topic, { origin: this.origin, sequence, value })
    this.#sequences.used(topic, sequence)
    try {
      await this.#options.link.send(this.#sharded ? 'SPUBLISH' : 'PUBLISH', this.#channel(topic), text)
      this.#count.published.inc()
    } catch (error) {
      this.#count.failed.inc()
      throw error
    }
  }

  async subscribe (topic: string, listener: BusListener, options: SubscribeOptions = {}): Promise<() => void> {
    const stop = this.#listeners.add(topic, listener, options)
    const state = this.#topics.get(topic) ?? this.#open(topic)
    await state.liveWithin(this.#reachable ? this.#timing.deadlineMs : 0)
    return () => { if (stop() && !state.watched) this.#drop(state) }
  }

  /** For those who must know whether a topic's messages come. */
  watch (topic: string, watch: TopicWatch): void {
    (this.#topics.get(topic) ?? this.#open(topic)).watch(watch)
  }

  async close (): Promise<void> {
    this.#closed = true
    this.#instances.stop()
    await Promise.all(Array.from(this.#lanes.values(), lane => lane.close()))
    this.#lanes.clear()
  }

  get #sharded (): boolean {
    const { cluster, shardedPubSub } = this.#options.link.features
    return cluster && shardedPubSub
  }

  // Before the server's features are known, it is not known which kind of channel everybody uses.
  get #reachable (): boolean {
    return this.#options.adapter.connected && this.#options.link.features.server !== 'unknown'
  }

  #open (name: string): Topic {
    const topic = new Topic(name, this.#channel(name), {
      receive: bytes => this.#receive(name, bytes),
      gap: why => {
        this.#listeners.forgetSequences(name)
        this.#listeners.gap(why, name)
      }
    })
    this.#topics.set(name, topic)
    this.#place()
    return topic
  }

  #drop (topic: Topic): void {
    if (this.#topics.get(topic.topic) !== topic) return
    this.#topics.delete(topic.topic)
    topic.leave()
    this.#closeEmptyLanes()
  }

  /** Puts every topic on the server that carries it now. */
  #place (): void {
    if (this.#closed || !this.#reachable) return
    for (const topic of this.#topics.values()) {
      const node = this.#nodeOf(topic)
      if (node === undefined || (topic.lane?.node.name === node.name && topic.sharded === this.#sharded)) continue
      topic.moveTo(this.#laneOf(node), this.#sharded)
    }
    this.#closeEmptyLanes()
  }

  #nodeOf (topic: Topic): Node | undefined {
    const { adapter } = this.#options
    if (this.#sharded) return adapter.nodeOf(topic.name)
    // Any server of a Cluster carries plain channels; one that serves us is kept.
    const masters = adapter.masters()
    return masters.find(({ name }) => name === topic.lane?.node.name) ?? masters[0]
  }

  #laneOf (node: Node): Lane {
    const lane = this.#lanes.get(node.name) ?? new Lane(node, this.#timing)
    this.#lanes.set(node.name, lane)
    return lane
  }

  #closeEmptyLanes (): void {
    for (const [name, lane] of this.#lanes) {
      if (!lane.empty) continue
      this.#lanes.delete(name)
      lane.close().catch(error => this.#options.log.error({ err: error }, 'closing a connection of the bus failed'))
    }
  }

  #receive (topic: string, bytes: Buffer): void {
    this.#count[this.#listeners.receive(topic, bytes) ?? 'received'].inc()
  }
}

/** A bus over the server of `adapter`; what it publishes goes through `link`. */
export function createRedisBus (options: RedisBusOptions): RedisBus {
  return new RedisBus(options)
}
