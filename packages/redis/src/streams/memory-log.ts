import { LRUCache } from 'lru-cache'
import type { Clock } from '../clock.ts'
import { beginning, compareStreamIds, type StreamId, streamIdText } from './stream-id.ts'
import type { StreamEntry } from './stream-entry.ts'
import { numbersOutliveMs, type Retention } from './streams.ts'

interface Kept {
  entries: { readonly id: StreamId, readonly message: Buffer }[]
  last: StreamId
  /** Monotonic, as `lastUntilMs` is. */
  entriesUntilMs: number
  lastUntilMs: number
}

/** The streams of several instances in one process. Twin of lua/stream-publish.lua */
export class MemoryLog {
  readonly #clock: Clock
  // The topic unused for longest goes when there are too many: its readers find a hole.
  readonly #topics = new LRUCache<string, Kept>({ max: 10_000 })
  readonly #readers = new Set<(topic: string) => void>()

  constructor (clock: Clock) {
    this.#clock = clock
  }

  append (topic: string, message: Buffer, { maxLength, keepMs }: Retention): void {
    const kept = this.#kept(topic) ?? { entries: [], last: beginning, entriesUntilMs: 0, lastUntilMs: 0 }
    kept.last = { ms: Math.max(this.#clock.wallMs(), kept.last.ms), number: kept.last.number + 1 }
    kept.entries.push({ id: kept.last, message })
    if (kept.entries.length > maxLength) kept.entries = kept.entries.slice(-maxLength)
    kept.entriesUntilMs = this.#clock.monotonicMs() + keepMs
    kept.lastUntilMs = kept.entriesUntilMs + numbersOutliveMs
    this.#topics.set(topic, kept)
    for (const read of [...this.#readers]) read(topic)
  }

  /** Behind which message the topic ends. */
  position (topic: string): StreamId {
    return this.#kept(topic)?.last ?? beginning
  }

  read (topic: string, after: StreamId, count: number): StreamEntry[] {
    const entries = this.#kept(topic)?.entries ?? []
    const from = entries.findIndex(({ id }) => compareStreamIds(id, after) > 0)
    return from === -1 ? [] : entries.slice(from, from + count).map(({ id, message }) => ({ id: streamIdText(id), message }))
  }

  /** Told of each message. @returns the way to stop */
  onAppended (reader: (topic: string) => void): () => void {
    this.#readers.add(reader)
    return () => { this.#readers.delete(reader) }
  }

  #kept (topic: string): Kept | undefined {
    const kept = this.#topics.get(topic)
    const nowMs = this.#clock.monotonicMs()
    if (kept === undefined || kept.entriesUntilMs > nowMs) return kept
    kept.entries = []
    if (kept.lastUntilMs > nowMs) return kept
    this.#topics.delete(topic)
    return undefined
  }
}
