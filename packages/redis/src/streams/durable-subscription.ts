import type { FastifyBaseLogger } from 'fastify'
import type { BusListener, GapReason, MessageInfo, SubscribeOptions } from '../bus/bus.ts'
import { isPromiseLike } from '../promise-like.ts'
import { beginning, compareStreamIds, parseStreamId, type StreamId, streamIdText } from './stream-id.ts'

/** Messages that may wait for a listener that is not done with an earlier one; then nothing more is read for it. */
export const mostWaiting = 100

/** A message as it was read: readable, or not. */
export interface ReadMessage {
  readonly id: StreamId
  readonly origin: string
  readonly value: unknown
  /** `gap`: a newer form, which counts as missed. `nothing`: whoever can write there can write anything. */
  readonly unreadable?: 'gap' | 'nothing'
}

interface SubscriptionContext {
  /** This instance's own. */
  origin: string
  topic: string
  log: Pick<FastifyBaseLogger, 'error'>
  onGap?: (why: GapReason) => void
  /** It can be handed more again. */
  wants (): void
}

/** One listener with a cursor of its own. It gets its messages one after the other; while too many wait for it, its cursor stays where it is. */
export class DurableSubscription {
  readonly #listener: BusListener
  readonly #options: SubscribeOptions
  readonly #about: SubscriptionContext
  #waiting: (ReadMessage | GapReason)[] = []
  #cursor: StreamId | undefined
  /** The number of the next message; undefined: whichever comes first. */
  #expected: number | undefined
  #owesGap = false
  /** The cursor is of a data set that may be gone. */
  #doubted = false
  #full = false
  #running: Promise<unknown> | undefined
  #ended = false

  constructor (listener: BusListener, options: SubscribeOptions, about: SubscriptionContext) {
    this.#listener = listener
    this.#options = options
    this.#about = about
    const { from = 'now' } = options
    if (from === 'now') return
    this.#cursor = from === 'start' ? beginning : parseStreamId(from)
    this.#expected = from === 'start' ? undefined : this.#cursor!.number + 1
  }

  /** Behind what it reads; undefined while it is not known where the stream ends. */
  get cursor (): StreamId | undefined {
    return this.#cursor
  }

  /** Whether it can be handed messages. */
  get ready (): boolean {
    return !this.#ended && this.#cursor !== undefined && !this.#full
  }

  /** It begins behind this message. */
  start (at: StreamId): void {
    this.#cursor = at
    this.#doubted = false
    this.#expected = at.number + 1
    if (this.#owesGap) this.gap('reconnect')
    this.#owesGap = false
  }

  /** It could not begin when it was to: it is told of a gap once it has. */
  late (): void {
    this.#owesGap = true
  }

  /** The stream may be another than it was. */
  doubt (): void {
    this.#doubted = true
  }

  /** It may be, and ended here when that was asked. What was read of it since then is not read again. */
  restart (end: StreamId): void {
    if (this.#doubted && this.#cursor !== undefined && compareStreamIds(end, this.#cursor) < 0) {
      this.#cursor = end
      this.#expected = end.number + 1
    }
    this.gap('failover')
  }

  /** @param after - behind what they were read */
  take (messages: readonly ReadMessage[], after: StreamId): void {
    // Behind its own cursor there may be others, which were not read.
    if (!this.ready || compareStreamIds(this.#cursor!, after) < 0) return
    for (const message of messages) {
      if (compareStreamIds(message.id, this.#cursor!) <= 0) continue
      const { number } = message.id
      if (this.#expected !== undefined && number !== this.#expected) this.#waiting.push(number > this.#expected ? 'trimmed' : 'failover')
      this.#cursor = message.id
      this.#doubted = false
      this.#expected = number + 1
      this.#waiting.push(message)
    }
    this.#full = this.#waiting.length >= mostWaiting
    this.#next()
  }

  gap (why: GapReason): void {
    if (this.#ended) return
    this.#waiting.push(why)
    this.#next()
  }

  /** Nothing more is handed over. @returns resolves when the listener is done with what it has */
  async end (): Promise<void> {
    this.#ended = true
    this.#waiting = []
    await this.#running
  }

  #next (): void {
    while (this.#running === undefined) {
      const next = this.#waiting.shift()
      if (next === undefined) break
      const result = this.#guarded(() => typeof next === 'string' ? this.#tell(next) : this.#hand(next))
      if (result === undefined) continue
      this.#running = result
      result.finally(() => {
        this.#running = undefined
        this.#next()
      })
    }
    if (!this.#full || this.#waiting.length > mostWaiting / 2) return
    this.#full = false
    this.#about.wants()
  }

  #tell (why: GapReason): unknown {
    this.#about.onGap?.(why)
    return this.#options.onGap?.(why)
  }

  #hand ({ id, origin, value, unreadable }: ReadMessage): unknown {
    if (unreadable !== undefined) return unreadable === 'gap' ? this.#tell('sequence') : undefined
    const { topic, origin: own } = this.#about
    if (origin === own && this.#options.ownMessages !== true) return undefined
    const info: MessageInfo = { topic, origin, sequence: id.number, id: streamIdText(id) }
    return this.#listener(value, info)
  }

  /** @returns a promise that never rejects, while it takes time */
  #guarded (work: () => unknown): Promise<unknown> | undefined {
    try {
      const result = work()
      return isPromiseLike(result) ? Promise.resolve(result).then(undefined, error => this.#failed(error)) : undefined
    } catch (error) {
      this.#failed(error)
      return undefined
    }
  }

  // The message stays out of the log: it is the app's.
  #failed (error: unknown): void {
    this.#about.log.error({ err: error, topic: this.#about.topic }, 'a listener of the bus failed')
  }
}
