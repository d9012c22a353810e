import { FST_RSP_BUS_FOREIGN_ID, FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import { decodeEnvelope, type Unreadable } from '../bus/envelope.ts'
import type { DurableSubscription, ReadMessage } from './durable-subscription.ts'
import { endedWithin } from './ended-within.ts'
import type { LaneReader } from './reading-lane.ts'
import type { StreamEntry } from './stream-entry.ts'
import { compareStreamIds, parseStreamId, type StreamId, streamIdBehind, streamIdText } from './stream-id.ts'

interface StreamTopicTools {
  /** Behind which message the stream ends now. */
  position (): Promise<StreamId>
  /** The identity of the data set that holds the stream; undefined while it is not known. */
  era (): string | undefined
  count (outcome: 'received' | Unreadable): void
  /** Its connection may lead to a server that is none of ours any more. */
  renew (reason: Error): void
  broken (error: Error): void
  /** A listener was not done when the close waited no longer. */
  left (): void
}

/** At most so many messages are read at once, and no more than so many bytes if they are as large as the largest before. */
const mostAtOnce = 100
const mostBytesAtOnce = 4_194_304

/** A durable topic somebody here listens to: read once for all its listeners, from the cursor of the one who is furthest behind. */
export class StreamTopic implements LaneReader {
  readonly topic: string
  readonly key: string
  readonly #tools: StreamTopicTools
  readonly #subscriptions = new Set<DurableSubscription>()
  #largestBytes = mostBytesAtOnce / 10
  #era: string | undefined
  #broken = false

  constructor (topic: string, key: string, tools: StreamTopicTools) {
    this.topic = topic
    this.key = key
    this.#tools = tools
    this.#era = tools.era()
  }

  get empty (): boolean {
    return this.#subscriptions.size === 0
  }

  get room (): number {
    if (this.#behind() === undefined) return 0
    return Math.max(1, Math.min(mostAtOnce, Math.floor(mostBytesAtOnce / this.#largestBytes)))
  }

  get after (): string {
    return streamIdText(this.#behind()!)
  }

  add (subscription: DurableSubscription): void {
    this.#subscriptions.add(subscription)
  }

  async remove (subscription: DurableSubscription): Promise<void> {
    this.#subscriptions.delete(subscription)
    await subscription.end()
  }

  /** Nothing more is handed over; waits for listeners at work, but not for ever: some never end. */
  async endWithin (ms: number): Promise<void> {
    const ended = Promise.all(Array.from(this.#subscriptions, subscription => subscription.end()))
    if (!await endedWithin(ended, ms)) this.#tools.left()
  }

  receive (entries: readonly StreamEntry[], after: string): Error | undefined {
    this.#largestBytes = Math.max(1, ...entries.map(({ message }) => message.length))
    const messages: ReadMessage[] = []
    let foreign: string | undefined
    for (const { id: text, message } of entries) {
      const id = parseStreamId(text) ?? streamIdBehind(text)
      // Whatever comes behind it has an id that is larger still.
      if (id === undefined) {
        foreign = text
        break
      }
      messages.push(this.#read(id, message))
    }
    if (messages.length > 0) this.#broken = false
    const read = parseStreamId(after)!
    for (const subscription of [...this.#subscriptions]) subscription.take(messages, read)
    return foreign === undefined ? undefined : new FST_RSP_BUS_FOREIGN_ID(this.topic, foreign)
  }

  async refused (error: Error): Promise<boolean> {
    if (!this.#broken) this.#tools.broken(error)
    this.#broken = true
    return false
  }

  /** Where the data set is another, what was published last may be gone, and the end of the stream lie before the cursors. */
  look (): void {
    const era = this.#tools.era()
    if (era === undefined || era === this.#era) return
    const before = this.#era
    this.#era = era
    if (before === undefined) return
    for (const subscription of this.#subscriptions) subscription.doubt()
    this.#tools.renew(new FST_RSP_SUBSCRIBER_LOST('the server is another'))
    this.#tools.position().then(end => {
      for (const subscription of [...this.#subscriptions]) subscription.restart(end)
    }, () => { if (this.#era === era) this.#era = before }) // asked again
  }

  #behind (): StreamId | undefined {
    let behind: StreamId | undefined
    for (const { ready, cursor } of this.#subscriptions) {
      if (ready && (behind === undefined || compareStreamIds(cursor!, behind) < 0)) behind = cursor
    }
    return behind
  }

  #read (id: StreamId, message: Buffer): ReadMessage {
    const envelope = decodeEnvelope(message)
    if (typeof envelope === 'string') {
      this.#tools.count(envelope)
      return { id, origin: '', value: undefined, unreadable: envelope === 'version' ? 'gap' : 'nothing' }
    }
    this.#tools.count('received')
    return { id, origin: envelope.origin, value: envelope.value }
  }
}
