import type { Clock } from '@respite/redis'
import type { Answer } from './answer.ts'
import type { Filled } from './filler.ts'
import type { Patience } from './patience.ts'
import type { Asked } from './reader.ts'
import type { MissReason } from './read-report.ts'

/** An answer and where it comes from; undefined: the factory gave nothing. */
export interface Found {
  readonly answer: Answer | undefined
  readonly source: 'l2' | 'stale' | 'factory'
  /** Since it was stored; undefined: not known. */
  readonly ageMs: number | undefined
  /** How long it is still fresh. */
  readonly leftMs: number
  readonly missReason: MissReason | undefined
  /** How long the run of another was waited for. */
  readonly waitedMs: number
}

/** What a search works with. */
export interface SearchParts {
  readonly clock: Clock
  readonly leaseMs: number
  /** Of a caller who has, or may have, a stale answer. */
  readonly patience: Patience<Found> | undefined
}

/** Bounds of the time between two questions of a caller who waits for another process. */
const bounds = { first: 25, most: 200 }

/** One caller's search for a value: what it has been told so far, and how long it still waits for others. */
export class Search {
  /** Id of a dead record that is to be asked past; '' where there is none. */
  except = ''
  /** Holder of the lease that was last waited for; '' where there was none. */
  waited = ''
  stale: Answer | undefined
  readonly #clock: Clock
  readonly #leaseMs: number
  readonly #patience: Patience<Found> | undefined
  #pauseMs = bounds.first
  #until: number
  /** Waits for a second holder, after the first has died. */
  #again = false
  /** Of the first look: later ones see what others have done since. */
  #missReason: MissReason | undefined
  #waitedMs = 0

  constructor ({ clock, leaseMs, patience }: SearchParts) {
    this.#clock = clock
    this.#leaseMs = leaseMs
    this.#patience = patience
    this.#until = clock.monotonicMs() + leaseMs
  }

  /** Of the time in which another may fill. */
  get leftMs (): number {
    return this.#until - this.#clock.monotonicMs()
  }

  get missReason (): MissReason | undefined {
    return this.#missReason
  }

  missed (reason: MissReason | undefined): void {
    this.#missReason ??= reason
  }

  /** What may be answered should nothing better come; undefined: there is nothing any more. */
  offer (stale: Answer | undefined, asked: Asked): void {
    this.#patience?.offer(stale === undefined ? undefined : this.stored(stale, 'stale', asked))
  }

  /** Another holds the lease than the one that was waited for. Waited for in its turn, once: nobody waits for more than two leases. */
  hasNewHolder ({ lease, holder }: Asked): boolean {
    if (lease !== 'WAIT' || this.waited === '' || holder === this.waited || this.#again) return false
    this.#again = true
    this.#until = this.#clock.monotonicMs() + this.#leaseMs
    return true
  }

  /** How long the caller waits before the next question; each time longer. */
  nextPauseMs (): number {
    const ms = this.#pauseMs
    this.#pauseMs = Math.min(2 * ms, bounds.most)
    return ms
  }

  /** Counts what is waited for the run of another. */
  async wait (work: Promise<unknown>): Promise<void> {
    const from = this.#clock.monotonicMs()
    try {
      await work
    } finally {
      this.#waitedMs += this.#clock.monotonicMs() - from
    }
  }

  /** What lay in the store. */
  stored (answer: Answer, source: 'l2' | 'stale', { ageMs, leftMs }: Asked): Found {
    return { answer, source, ageMs, leftMs, missReason: this.#missReason, waitedMs: this.#waitedMs }
  }

  /** What a run of the factory gave. */
  filled ({ answer, softMs }: Filled): Found {
    return { answer, source: 'factory', ageMs: 0, leftMs: softMs, missReason: this.#missReason, waitedMs: this.#waitedMs }
  }

  async made (run: Promise<Filled>): Promise<Found> {
    return this.filled(await run)
  }
}
