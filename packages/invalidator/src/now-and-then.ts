import type { Clock } from '@respite/redis'

const minuteMs = 60_000

/** Lets something be said once a minute, whoever provokes it how often. */
export class NowAndThen {
  readonly #clock: Clock
  #saidAt = -Infinity
  #unsaid = 0

  constructor (clock: Clock) {
    this.#clock = clock
  }

  /** Calls `say` at most once a minute, with how many there were since the last time, this one included. */
  happened (say: (since: number) => void): void {
    this.#unsaid++
    const now = this.#clock.monotonicMs()
    if (now - this.#saidAt < minuteMs) return
    this.#saidAt = now
    const since = this.#unsaid
    this.#unsaid = 0
    say(since)
  }
}
