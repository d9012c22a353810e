import type { Clock, LinkError } from '@respite/redis'
import { isPermanentRefusal } from './permanent-refusal.ts'
import type { TrackingStore } from './stores/store.ts'

// Names are noted again and again, for Redis may have lost them.
const renewEveryMs = 60_000
const retryMs = 10_000

/** Notes metrics in the store, by which other processes find them: before they are first counted, and again each minute. */
export class Registration {
  readonly #store: TrackingStore
  readonly #clock: Clock
  readonly #missing = new Set<string>()
  // Those that are noted, and when they are due again.
  readonly #dueMs = new Map<string, number>()
  #running: Promise<void> | undefined

  constructor (store: TrackingStore, clock: Clock) {
    this.#store = store
    this.#clock = clock
  }

  /** Whether all that were added are noted. */
  get complete (): boolean {
    return this.#missing.size === 0
  }

  /** Whether a metric is noted, so that it may be counted. */
  has (metric: string): boolean {
    return this.#dueMs.has(metric)
  }

  /** To be noted with the next call of `note`. */
  add (metric: string): void {
    if (!this.has(metric)) this.#missing.add(metric)
  }

  /** Notes those that are not; it never rejects. */
  async note (): Promise<void> {
    await this.#running
    if (this.#missing.size > 0) await (this.#running ??= this.#attempt([...this.#missing]).then(() => { this.#running = undefined }))
  }

  /** Notes again those of some that are due. Where that fails they count on: the store knows them from before. */
  async renew (metrics: readonly string[]): Promise<void> {
    const nowMs = this.#clock.monotonicMs()
    const due = metrics.filter(metric => this.#dueMs.get(metric)! <= nowMs)
    if (due.length > 0 && !await this.#attempt(due)) for (const metric of due) this.#dueMs.set(metric, nowMs + retryMs)
  }

  async #attempt (metrics: readonly string[]): Promise<boolean> {
    const dueMs = this.#clock.monotonicMs() + renewEveryMs
    try {
      await this.#store.register(metrics)
    } catch (error) {
      // Where the names are of a wrong type they will be at the next attempt as well: counts are worth more than names.
      if (!isPermanentRefusal(error as LinkError)) return false
    }
    for (const metric of metrics) {
      this.#missing.delete(metric)
      this.#dueMs.set(metric, dueMs)
    }
    return true
  }
}
