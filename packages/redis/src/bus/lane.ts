import type { Node, Subscriber } from '../clients/adapter.ts'
import { WatchedSubscriber, type WatchTiming } from '../clients/watched-subscriber.ts'

/** A channel of a lane: what comes over it goes to `receive`. */
export interface LaneChannel {
  readonly name: string
  readonly sharded: boolean
  receive (bytes: Buffer): void
  /** Subscribed, and sure to be until then (monotonic ms). Told at each heartbeat. */
  live (untilMs: number): void
  lost (reason: Error): void
}

/** All channels that one server carries for us, over one watched connection. */
export class Lane {
  readonly node: Node
  readonly #channels = new Map<string, LaneChannel>()
  readonly #watched: WatchedSubscriber
  /** Channels that are being left: clients mix up a subscription with the end of an earlier one under way. */
  readonly #leaving = new Map<string, Promise<void>>()
  /** What the connection of this round has confirmed. */
  #confirmed = new Set<LaneChannel>()

  constructor (node: Node, timing: WatchTiming) {
    this.node = node
    this.#watched = new WatchedSubscriber(node, {
      open: async subscriber => {
        this.#confirmed = new Set()
        this.#leaving.clear()
        await Promise.all(Array.from(this.#channels.values(), channel => this.#subscribe(channel, subscriber)))
      },
      live: untilMs => {
        for (const channel of this.#channels.values()) {
          if (this.#confirmed.has(channel)) channel.live(untilMs)
          // Added while the connection was being opened.
          else this.#attach(channel)
        }
      },
      lost: reason => { for (const channel of [...this.#channels.values()]) channel.lost(reason) }
    }, timing)
  }

  get empty (): boolean {
    return this.#channels.size === 0
  }

  add (channel: LaneChannel): void {
    this.#channels.set(channel.name, channel)
    this.#attach(channel)
  }

  async remove (channel: LaneChannel): Promise<void> {
    if (this.#channels.get(channel.name) === channel) this.#channels.delete(channel.name)
    const subscriber = this.#watched.current
    if (this.#confirmed.delete(channel) && subscriber !== undefined) await this.#leave(channel, subscriber)
  }

  renew (reason: Error): void {
    this.#watched.renew(reason)
  }

  async close (): Promise<void> {
    await this.#watched.close()
  }

  #attach (channel: LaneChannel): void {
    const subscriber = this.#watched.current
    if (subscriber === undefined) return
    this.#subscribe(channel, subscriber).then(
      () => { if (this.#watched.current === subscriber && this.#confirmed.has(channel)) channel.live(this.#watched.untilMs) },
      // A connection that cannot subscribe is of no use; the next one tries all channels.
      error => this.#watched.renew(error)
    )
  }

  async #subscribe (channel: LaneChannel, subscriber: Subscriber): Promise<void> {
    await this.#leaving.get(channel.name)?.catch(() => {}) // whoever leaves is told
    await subscriber.subscribe(channel.name, message => { if (Buffer.isBuffer(message)) channel.receive(message) }, channel.sharded)
    if (this.#channels.get(channel.name) === channel) this.#confirmed.add(channel)
    else if (!this.#channels.has(channel.name)) await this.#leave(channel, subscriber)
  }

  async #leave ({ name, sharded }: LaneChannel, subscriber: Subscriber): Promise<void> {
    const left = subscriber.unsubscribe(name, sharded)
    this.#leaving.set(name, left)
    try {
      await left
    } finally {
      if (this.#leaving.get(name) === left) this.#leaving.delete(name)
    }
  }
}
