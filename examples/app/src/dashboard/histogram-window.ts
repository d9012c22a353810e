import type { Counted } from './buckets.ts'
import { Ring } from './ring.ts'

/** A histogram that only grows, looked at once a second: what it has counted lately. */
export class HistogramWindow {
  readonly #looks: Ring<Counted>
  readonly #seconds: number

  /** @param seconds - the longest time that is asked for */
  constructor (seconds: number) {
    this.#seconds = seconds
    this.#looks = new Ring(seconds + 1)
  }

  look (counted: Counted): void {
    this.#looks.push(counted)
  }

  /** What was counted in the last so many seconds, or since the first look. */
  last (seconds = this.#seconds): Counted {
    const { newest } = this.#looks
    const now = this.#looks.at(newest)
    if (now === undefined) return { bounds: [], counts: [] }
    const before = this.#looks.at(Math.max(0, newest - seconds))!
    // A histogram without series has no buckets yet.
    return { bounds: now.bounds, counts: now.counts.map((count, i) => count - (before.counts[i] ?? 0)) }
  }
}
