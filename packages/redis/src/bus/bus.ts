import type { Queue, QueueOptions } from '../queues/queue.ts'
import type { TypedTopic } from './topic-definition.ts'

/** What a listener is told beside the value. */
export interface MessageInfo {
  topic: string
  /** The instance that published: 16 characters, new with each process. */
  origin: string
  /** Grows by one with each message of this topic and origin; of a durable topic, with each message of the topic. */
  sequence: number
  /** Of a durable topic: what `from` takes to go on behind this message. */
  id?: string
}

/** Gets one message at a time: while its promise is pending, the next ones wait. */
export type BusListener<T = unknown> = (value: T, info: MessageInfo) => void | Promise<void>

/**
 * Why messages may be missing. `reconnect`: the subscription was not live. `sequence`: a number is missing. `overflow`: the listener was too slow.
 * `trimmed`: a durable topic no longer keeps what comes next. `failover`: the server was replaced by one that may lack some. `invalid`: a message did not fit its schema.
 */
export type GapReason = 'reconnect' | 'sequence' | 'overflow' | 'trimmed' | 'failover' | 'invalid'

/** What may be said of one message. */
export interface PublishOptions {
  /** Kept, for those who listen with `durable`. @default what the topic says, else false */
  durable?: boolean
}

/** What a listener is to hear, and from where on. */
export interface SubscribeOptions {
  /** Called when messages may have been missed, after the subscription is live again. */
  onGap?: (why: GapReason) => void
  /** Also what this instance published. @default false */
  ownMessages?: boolean
  /** What was published with `durable`, and nothing else: it is read at a cursor, which outlives lost connections. @default what the topic says, else false */
  durable?: boolean
  /** Where a durable subscription begins: with what is published from now on, with all that is kept, or behind the message of this id. @default 'now' */
  from?: 'now' | 'start' | (string & {})
}

/** Messages between the instances of an app, at most once, to whoever listens at that moment. */
export interface PlainBus {
  /** This instance's name on the bus. */
  readonly origin: string
  /** Instances heard of in the last minute, this one included; at least 1. */
  readonly instances: number
  /**
   * Resolves when the server has taken it.
   * @throws FST_RSP_BUS_NOT_SERIALISABLE, FST_RSP_BUS_TOO_LARGE, or a `LinkError`
   */
  publish (topic: string, value: unknown): Promise<void>
  /**
   * Resolves when the subscription is live, or, while Redis is down, at once, or when a server has not confirmed it within a second
   * (and then `onGap` follows once it is live).
   * @returns the way to unsubscribe
   */
  subscribe (topic: string, listener: BusListener, options?: SubscribeOptions): Promise<() => void>
}

/**
 * Messages between the instances of an app. Plain ones come at most once: a listener that must not miss any acts on `onGap`. Durable ones are read from
 * a cursor, and a queue gives each job to one instance, at least once. Nothing in Respite is correct only because a message arrived.
 * What one instance publishes to a topic comes in order; topics have no order among them, as several servers may carry them.
 */
export interface Bus extends PlainBus {
  /**
   * Resolves when the server has taken it.
   * @throws FST_RSP_BUS_NOT_SERIALISABLE, FST_RSP_BUS_TOO_LARGE, FST_RSP_BUS_INVALID, or a `LinkError`
   */
  publish<T> (topic: string | TypedTopic<T>, value: NoInfer<T>, options?: PublishOptions): Promise<void>
  /**
   * Resolves when the subscription is live, or, while Redis is down, at once, or when a server has not confirmed it within a second
   * (and then `onGap` follows once it is live).
   * @returns the way to unsubscribe
   * @throws FST_RSP_BUS_FROM, or FST_RSP_REDIS_REPLY where the topic's key holds something else, or may not be read
   */
  subscribe<T> (topic: string | TypedTopic<T>, listener: BusListener<NoInfer<T>>, options?: SubscribeOptions): Promise<() => void>
  /**
   * A work queue, defined once a process: each job is done by one instance, at least once.
   * @throws FST_RSP_BUS_QUEUE_TWICE, FST_RSP_OPTION_INVALID
   */
  queue<T = unknown> (topic: string | TypedTopic<T>, options?: QueueOptions): Queue<T>
}
