import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../clock.ts'
import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import type { Node, Subscriber } from './adapter.ts'
import { within } from './within.ts'

/** How soon a silent loss is noticed: within `heartbeatMs + deadlineMs`. */
export interface WatchTiming {
  readonly heartbeatMs: number
  readonly deadlineMs: number
  readonly clock: Clock
}

/** What is done with a watched connection. */
export interface Watch {
  /** Whatever makes it of use: subscribing, arming. The connection is live when it resolves. */
  open (subscriber: Subscriber): Promise<void>
  /** Beside PING, what must hold at each heartbeat. */
  check? (subscriber: Subscriber): Promise<void>
  /** Live, and sure to be until `untilMs` (monotonic): whatever was sent to it up to one bound before then has come. */
  live (untilMs: number): void
  /** Not live any more, or, the first time, not to be had. Told once, until it is live again. */
  lost (reason: Error): void
}

const pauseMs = 250

/**
 * A connection for messages that is either known to work or replaced: it is asked at each heartbeat, and one that breaks,
 * is late or fails its check is closed and made anew.
 */
export class WatchedSubscriber {
  readonly #node: Node
  readonly #watch: Watch
  readonly #timing: WatchTiming
  #round: AbortController | undefined
  #current: Subscriber | undefined
  #untilMs = 0
  #closed = false

  constructor (node: Node, watch: Watch, timing: WatchTiming) {
    this.#node = node
    this.#watch = watch
    this.#timing = timing
    this.#run().catch(error => watch.lost(error))
  }

  /** The connection while it is live. */
  get current (): Subscriber | undefined {
    return this.#current
  }

  /** Until when (monotonic) it is sure to be live. */
  get untilMs (): number {
    return this.#untilMs
  }

  /** Gives up the connection for a new one. */
  renew (reason: Error): void {
    this.#round?.abort(reason)
  }

  async close (): Promise<void> {
    this.#closed = true
    this.#round?.abort(new FST_RSP_SUBSCRIBER_LOST('closed'))
  }

  async #run (): Promise<void> {
    let told = false
    while (!this.#closed) {
      const round = new AbortController()
      this.#round = round
      const subscriber = this.#node.subscriber()
      const reason = await this.#serve(subscriber, round, () => { told = false })
      this.#current = undefined
      if (!told && !this.#closed) this.#watch.lost(reason)
      told = true
      // Closing a connection that hangs may hang too; nobody waits for it.
      subscriber.close().catch(() => {})
      if (!this.#closed) await wait(pauseMs, undefined, { ref: false })
    }
  }

  /** @returns why it has ended */
  async #serve (subscriber: Subscriber, round: AbortController, onLive: () => void): Promise<Error> {
    subscriber.on('lost', () => round.abort(new FST_RSP_SUBSCRIBER_LOST('the connection broke')))
    const { heartbeatMs, deadlineMs, clock } = this.#timing
    try {
      let askedMs = clock.monotonicMs()
      await within(this.#watch.open(subscriber), round.signal, deadlineMs)
      this.#current = subscriber
      onLive()
      for (;;) {
        round.signal.throwIfAborted()
        this.#untilMs = askedMs + heartbeatMs + deadlineMs
        this.#watch.live(this.#untilMs)
        await wait(Math.max(0, askedMs + heartbeatMs - clock.monotonicMs()), undefined, { ref: false, signal: round.signal })
        askedMs = clock.monotonicMs()
        await within(Promise.all([subscriber.ping(), this.#watch.check?.(subscriber)]), round.signal, deadlineMs)
      }
    } catch (error) {
      return (round.signal.aborted ? round.signal.reason : error) as Error
    }
  }
}
