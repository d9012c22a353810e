import type { Answer, Outcome } from './summary.ts'

/** How a lane is run. */
export interface LaneOptions {
  /** Asks once; what it throws counts as failed. */
  ask: (signal: AbortSignal) => Promise<Outcome>
  /** Requests in flight at once. */
  concurrency: number
  /** How long new requests are begun. */
  durationMs: number
  /** The lane ends early after so many. */
  maxRequests: number
  /** Ends the lane at once; what is in flight then is not counted. */
  signal: AbortSignal
  /** Milliseconds of a clock that only goes on. */
  nowMs: () => number
  onAnswer: (answer: Answer) => void
}

// A server that is away refuses at once: asking it as fast as it refuses would tell nothing.
const maxFailuresInARow = 20

/**
 * Asks again and again, so many at once, until the time, the number or the signal ends it.
 * @returns how long it ran, in milliseconds
 */
export async function runLane ({ ask, concurrency, durationMs, maxRequests, signal, nowMs, onAnswer }: LaneOptions): Promise<number> {
  const startedMs = nowMs()
  let begun = 0
  let failuresInARow = 0
  const goesOn = () => !signal.aborted && begun < maxRequests && failuresInARow < maxFailuresInARow && nowMs() - startedMs < durationMs
  const one = async () => {
    while (goesOn()) {
      begun++
      const askedMs = nowMs()
      const outcome = await ask(signal).catch((): Outcome => 'failed')
      if (signal.aborted) return
      failuresInARow = outcome === 'failed' ? failuresInARow + 1 : 0
      const answeredMs = nowMs()
      onAnswer({ atMs: answeredMs - startedMs, latencyMs: answeredMs - askedMs, outcome })
    }
  }
  await Promise.all(Array.from({ length: concurrency }, one))
  return nowMs() - startedMs
}
