/** What a listener is told beside the value. */
export interface MessageInfo {
  topic: string
  /** The instance that published: 16 characters, new with each process. */
  origin: string
  /** Grows by one with each message of this topic and origin. */
  sequence: number
}

export type BusListener = (value: unknown, info: MessageInfo) => void | Promise<void>

export interface SubscribeOptions {
  /** Called when messages may have been missed, after the subscription is live again. */
  onGap?: (why: 'reconnect' | 'sequence' | 'overflow') => void
  /** Also what this instance published. @default false */
  ownMessages?: boolean
}

/**
 * Messages between the instances of an app, at most once: a listener that must not miss any acts on `onGap`.
 * Nothing in Respite is correct only because a message arrived.
 * What one instance publishes to a topic comes in order; topics have no order among them, as several servers may carry them.
 */
export interface Bus {
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
