import type { FastifyBaseLogger } from 'fastify'
import { isPromiseLike } from '../promise-like.ts'
import type { BusListener, GapReason, MessageInfo, SubscribeOptions } from './bus.ts'

/** Messages that may wait for a listener that is not done with an earlier one. */
export const mostWaiting = 1_000

interface SubscriptionContext {
  log: Pick<FastifyBaseLogger, 'error'>
  onGap?: (why: GapReason) => void
}

/**
 * One listener and what waits for it. It gets its messages one after the other: while it is busy (its promise is pending)
 * they wait, and when too many wait, all of them are dropped and it is told of a gap.
 */
export class Subscription {
  readonly ownMessages: boolean
  readonly #listener: BusListener
  readonly #onGap: SubscribeOptions['onGap']
  readonly #about: SubscriptionContext
  #waiting: { value: unknown, info: MessageInfo }[] = []
  #busy = false
  #ended = false

  constructor (listener: BusListener, { onGap, ownMessages = false }: SubscribeOptions, about: SubscriptionContext) {
    this.#listener = listener
    this.#onGap = onGap
    this.#about = about
    this.ownMessages = ownMessages
  }

  deliver (value: unknown, info: MessageInfo): void {
    if (this.#ended) return
    if (!this.#busy) {
      this.#hand(value, info)
      return
    }
    if (this.#waiting.length < mostWaiting) {
      this.#waiting.push({ value, info })
      return
    }
    this.#waiting = []
    this.gap('overflow', info.topic)
  }

  gap (why: GapReason, topic: string): void {
    if (this.#ended || this.#onGap === undefined) return
    this.#about.onGap?.(why)
    try {
      const result: unknown = this.#onGap(why)
      if (isPromiseLike(result)) result.then(undefined, error => this.#failed(error, topic))
    } catch (error) {
      this.#failed(error, topic)
    }
  }

  end (): void {
    this.#ended = true
    this.#waiting = []
  }

  #hand (value: unknown, info: MessageInfo): void {
    try {
      const result = this.#listener(value, info)
      if (!isPromiseLike(result)) return
      this.#busy = true
      Promise.resolve(result).then(undefined, error => this.#failed(error, info.topic)).finally(() => this.#next())
    } catch (error) {
      this.#failed(error, info.topic)
    }
  }

  #next (): void {
    this.#busy = false
    while (!this.#busy) {
      const message = this.#waiting.shift()
      if (message === undefined) return
      this.#hand(message.value, message.info)
    }
  }

  // The message stays out of the log: it is the app's.
  #failed (error: unknown, topic: string): void {
    this.#about.log.error({ err: error, topic }, 'a listener of the bus failed')
  }
}
