import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import type { Lane, LaneChannel } from './lane.ts'

/** Told whether a topic's messages reach this instance. */
export interface TopicWatch {
  /** They do, and are sure to until then (monotonic ms); told at each heartbeat. */
  live (untilMs: number): void
  lost (reason: Error): void
}

interface TopicEvents {
  receive (bytes: Buffer): void
  /** Messages may have been missed; the topic is live again. */
  gap (why: 'reconnect'): void
}

/** A topic somebody here listens to: which connection carries it, and whether it does. */
export class Topic implements LaneChannel {
  readonly topic: string
  readonly name: string
  readonly receive: (bytes: Buffer) => void
  sharded = false
  lane: Lane | undefined
  readonly #gap: TopicEvents['gap']
  readonly #watches: TopicWatch[] = []
  #waiting: (() => void)[] = []
  #live = false
  #owesGap = false

  /** @param channel - its name in the key space */
  constructor (topic: string, channel: string, { receive, gap }: TopicEvents) {
    this.topic = topic
    this.name = channel
    this.receive = receive
    this.#gap = gap
  }

  get watched (): boolean {
    return this.#watches.length > 0
  }

  watch (watch: TopicWatch): void {
    this.#watches.push(watch)
  }

  live (untilMs: number): void {
    const fresh = !this.#live
    this.#live = true
    for (const watch of this.#watches) watch.live(untilMs)
    if (!fresh) return
    if (this.#owesGap) this.#gap('reconnect')
    this.#owesGap = false
    for (const done of this.#waiting.splice(0)) done()
  }

  lost (reason: Error): void {
    if (this.#live) this.#owesGap = true
    this.#live = false
    for (const watch of this.#watches) watch.lost(reason)
  }

  /** Resolves when it is live, or after that time; then listeners are told of a gap once it is. */
  async liveWithin (ms: number): Promise<void> {
    if (this.#live) return
    if (ms > 0) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms).unref()
        this.#waiting.push(() => { clearTimeout(timer); resolve() })
      })
    }
    if (!this.#live) this.#owesGap = true
  }

  moveTo (lane: Lane, sharded: boolean): void {
    if (this.lane !== undefined) this.lost(new FST_RSP_SUBSCRIBER_LOST('another server carries the topic now'))
    this.leave()
    this.sharded = sharded
    this.lane = lane
    lane.add(this)
  }

  leave (): void {
    // A connection that is gone is subscribed to nothing.
    this.lane?.remove(this).catch(() => {})
    this.lane = undefined
  }
}
