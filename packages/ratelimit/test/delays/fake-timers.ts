import type { FakeClock } from '../clock.ts'

/** Timers of a clock that the test moves on. */
export class FakeTimers {
  readonly #clock: FakeClock
  #timers: { atMs: number, run: () => void }[] = []

  constructor (clock: FakeClock) {
    this.#clock = clock
  }

  get size (): number { return this.#timers.length }

  readonly after = (ms: number, run: () => void): () => void => {
    const timer = { atMs: this.#clock.nowMs + ms, run }
    this.#timers.push(timer)
    return () => { this.#timers = this.#timers.filter(other => other !== timer) }
  }

  /** Lets time pass, and runs what is due in its order. */
  async pass (ms: number): Promise<void> {
    await answered()
    const untilMs = this.#clock.nowMs + ms
    for (;;) {
      const [next] = this.#timers.filter(({ atMs }) => atMs <= untilMs).sort((a, b) => a.atMs - b.atMs)
      if (next === undefined) break
      this.#clock.nowMs = next.atMs
      this.#timers = this.#timers.filter(other => other !== next)
      next.run()
      await answered()
    }
    this.#clock.nowMs = untilMs
    await answered()
  }
}

// Answers of a server come a turn later each, and one may lead to the next question.
async function answered (): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise(setImmediate)
}
