import type { Clock } from '@respite/redis'
import type { Meters } from './metrics.ts'

/** One in so many reads that a local copy answers is timed, since two looks at the clock cost more than it does: a power of two. */
const sampled = 64

/** How long the operations of one cache take. */
export class OperationTimes {
  readonly #clock: Clock
  readonly #meters: Meters
  #reads = 0

  constructor (clock: Clock, meters: Meters) {
    this.#clock = clock
    this.#meters = meters
  }

  nowMs (): number {
    return this.#clock.monotonicMs()
  }

  /** When a read that is timed began; undefined for the others. */
  sampledAt (): number | undefined {
    return (++this.#reads & (sampled - 1)) === 0 ? this.nowMs() : undefined
  }

  took (operation: string, tier: string, startedAt: number): void {
    this.#meters.took(operation, tier, this.nowMs() - startedAt)
  }
}
