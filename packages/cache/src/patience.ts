import { FST_RSP_CACHE_FILL_TIMEOUT, shown } from './errors.ts'
import type { Job } from './job.ts'

/** How a caller who has, or may have, a stale answer waits for a new one. */
export class Patience<Found> {
  readonly #job: Job
  readonly #end = openPromise<Found>()
  readonly #timers: NodeJS.Timeout[] = []
  #stale: Found | undefined
  #soft = false

  constructor (job: Job) {
    this.#job = job
  }

  /** What may be answered should nothing better come; undefined: what was offered has turned out to be dead. */
  offer (stale: Found | undefined): void {
    this.#stale = stale
    const { softTimeoutMs } = this.#job
    if (stale === undefined || this.#soft || softTimeoutMs === undefined) return
    this.#soft = true
    this.#timers.push(setTimeout(() => { if (this.#stale !== undefined) this.#end.resolve(this.#stale) }, softTimeoutMs))
  }

  /** @param onHidden - told of the failure behind a stale answer */
  async wait (outcome: Promise<Found>, onHidden: (error: unknown) => void): Promise<Found> {
    const { key, hardTimeoutMs } = this.#job
    if (hardTimeoutMs !== undefined) {
      this.#timers.push(setTimeout(() => { this.#end.reject(new FST_RSP_CACHE_FILL_TIMEOUT(shown(key), hardTimeoutMs)) }, hardTimeoutMs))
    }
    try {
      return await Promise.race([outcome, this.#end.promise])
    } catch (error) {
      if (this.#stale === undefined) throw error
      onHidden(error)
      return this.#stale
    } finally {
      for (const timer of this.#timers) clearTimeout(timer)
    }
  }
}

function openPromise<T> (): { promise: Promise<T>, resolve (value: T): void, reject (error: Error): void } {
  const settle = {} as { resolve (value: T): void, reject (error: Error): void }
  const promise = new Promise<T>((resolve, reject) => { Object.assign(settle, { resolve, reject }) })
  return { promise, ...settle }
}
