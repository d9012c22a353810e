import type { Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'

interface Place { readonly tag: string, readonly hash: string }
interface Noted { readonly place: Place, /** When it was first noted; flushes that failed do not change it. */ readonly sinceMs: number, readonly dueMs: number }

/** What the queue works with. */
export interface FlushQueueParts { /** From when one is noted to its flush. */ readonly everyMs: number, readonly clock: Clock, readonly log: FastifyBaseLogger }

// Beyond, the oldest is flushed at once.
const maxQueued = 10_000
/** Flushes at once. */
const concurrency = 8

/** Sessions to be flushed, each a fixed time after it was first noted; so the first that was noted is the first that is due. */
export class FlushQueue {
  readonly #flush: (place: Place) => Promise<unknown>
  readonly #parts: FlushQueueParts
  readonly #noted = new Map<string, Noted>()
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor (flush: (place: Place) => Promise<unknown>, parts: FlushQueueParts) {
    this.#flush = flush
    this.#parts = parts
  }

  add (place: Place): void {
    if (this.#noted.has(place.hash) || this.#closed) return
    this.#put(place, this.#parts.clock.monotonicMs())
    if (this.#noted.size > maxQueued) this.#run()
    else this.#schedule()
  }

  /** @returns whether it was noted; it is no longer */
  take (hash: string): boolean {
    return this.#noted.delete(hash)
  }

  /** How many wait. */
  get size (): number {
    return this.#noted.size
  }

  /** Since when the one has waited that has waited longest, ms; 0: none waits. */
  get oldestMs (): number {
    const nowMs = this.#parts.clock.monotonicMs()
    let oldestMs = 0
    for (const { sinceMs } of this.#noted.values()) oldestMs = Math.max(oldestMs, nowMs - sinceMs)
    return oldestMs
  }

  /** Flushes all; stops at the first failures, which are told. */
  async close (): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
    while (this.#noted.size > 0) {
      const failed = await this.#some([...this.#noted.values()].slice(0, concurrency))
      if (failed.length === 0) continue
      this.#parts.log.warn({ sessions: failed.length + this.#noted.size }, 'sessions were not flushed at the end of this process: the next request of each does it')
      return
    }
  }

  #schedule (): void {
    if (this.#timer !== undefined || this.#running !== undefined || this.#closed) return
    const [first] = this.#noted.values()
    if (first === undefined) return
    this.#timer = setTimeout(() => { this.#timer = undefined; this.#run() }, Math.max(first.dueMs - this.#parts.clock.monotonicMs(), 1)).unref()
  }

  #run (): void {
    this.#running ??= this.#due().finally(() => {
      this.#running = undefined
      this.#schedule()
    })
  }

  async #due (): Promise<void> {
    // What is due at the end is the end's, which gives up sooner.
    while (!this.#closed) {
      const nowMs = this.#parts.clock.monotonicMs()
      const due: Noted[] = []
      for (const one of this.#noted.values()) {
        if (due.length === concurrency || (one.dueMs > nowMs && this.#noted.size <= maxQueued)) break
        due.push(one)
      }
      if (due.length === 0) return
      // Behind all others, so that what cannot be flushed now is no hurdle for them; where there is no room, the next request notes it.
      for (const { place, sinceMs } of await this.#some(due)) if (this.#noted.size < maxQueued && !this.#noted.has(place.hash)) this.#put(place, sinceMs)
    }
  }

  #put (place: Place, sinceMs: number): void {
    this.#noted.set(place.hash, { place, sinceMs, dueMs: this.#parts.clock.monotonicMs() + this.#parts.everyMs })
  }

  async #some (entries: readonly Noted[]): Promise<readonly Noted[]> {
    for (const { place } of entries) this.#noted.delete(place.hash)
    const done = await Promise.all(entries.map(({ place }) => this.#flush(place).then(() => true, (error: unknown) => {
      this.#parts.log.debug({ err: error }, 'a session could not be flushed')
      return false
    })))
    return entries.filter((_, i) => !done[i])
  }
}
