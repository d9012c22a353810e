import type { Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'

interface Place { readonly tag: string, readonly hash: string }

/** What the queue works with. */
export interface FlushQueueParts { readonly everyMs: number, readonly clock: Clock, readonly log: FastifyBaseLogger }

// Beyond, the oldest is flushed at once.
const most = 10_000
const atOnce = 8

/** Sessions to be flushed, each a fixed time after it was first noted; so the first that was noted is the first that is due. */
export class FlushQueue {
  readonly #flush: (place: Place) => Promise<unknown>
  readonly #parts: FlushQueueParts
  readonly #noted = new Map<string, { readonly place: Place, readonly dueMs: number }>()
  #running: Promise<void> | undefined
  #timer: NodeJS.Timeout | undefined
  #closed = false

  constructor (flush: (place: Place) => Promise<unknown>, parts: FlushQueueParts) {
    this.#flush = flush
    this.#parts = parts
  }

  add (place: Place): void {
    if (this.#noted.has(place.hash) || this.#closed) return
    this.#noted.set(place.hash, { place, dueMs: this.#parts.clock.monotonicMs() + this.#parts.everyMs })
    if (this.#noted.size > most) this.#run()
    else this.#schedule()
  }

  /** @returns whether it was noted; it is no longer */
  take (hash: string): boolean {
    return this.#noted.delete(hash)
  }

  /** Flushes all; stops at the first failures, which are told. */
  async close (): Promise<void> {
    this.#closed = true
    clearTimeout(this.#timer)
    await this.#running
    while (this.#noted.size > 0) {
      const failed = await this.#some([...this.#noted.values()].slice(0, atOnce))
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
    for (;;) {
      const nowMs = this.#parts.clock.monotonicMs()
      const due: { place: Place, dueMs: number }[] = []
      for (const one of this.#noted.values()) {
        if (due.length === atOnce || (one.dueMs > nowMs && this.#noted.size <= most)) break
        due.push(one)
      }
      if (due.length === 0) return
      // Behind all others, so that what cannot be flushed now is no hurdle for them; where there is no room, the next request notes it.
      for (const { place } of await this.#some(due)) if (this.#noted.size < most) this.add(place)
    }
  }

  async #some (entries: readonly { readonly place: Place }[]) {
    for (const { place } of entries) this.#noted.delete(place.hash)
    const done = await Promise.all(entries.map(({ place }) => this.#flush(place).then(() => true, (error: unknown) => {
      this.#parts.log.debug({ err: error }, 'a session could not be flushed')
      return false
    })))
    return entries.filter((_, i) => !done[i])
  }
}
