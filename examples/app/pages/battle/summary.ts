/** What became of one request. */
export type Outcome = 'hit' | 'miss' | 'uncached' | 'failed'

/** One request of a lane. */
export interface Answer {
  /** When it was answered, since the start of the battle. */
  readonly atMs: number
  readonly latencyMs: number
  readonly outcome: Outcome
}

/** What a lane has come to; latencies are of the answers that did not fail. */
export interface Summary {
  readonly answers: number
  readonly perSecond: number
  readonly p50Ms: number | undefined
  readonly p95Ms: number | undefined
  readonly p99Ms: number | undefined
  readonly hits: number
  readonly misses: number
  readonly failed: number
}

/**
 * The smallest of the values that so large a part of them does not exceed (nearest rank).
 * @param sorted - ascending
 * @param part - above 0, at most 1
 */
export function percentile (sorted: ArrayLike<number>, part: number): number | undefined {
  return sorted[Math.ceil(sorted.length * part) - 1]
}

/** @param elapsedMs - how long the lane has run */
export function summarize (all: readonly Answer[], elapsedMs: number): Summary {
  const count = (outcome: Outcome) => all.reduce((sum, answer) => sum + Number(answer.outcome === outcome), 0)
  const sorted = Float64Array.from(all.filter(({ outcome }) => outcome !== 'failed'), ({ latencyMs }) => latencyMs).sort()
  return {
    answers: sorted.length,
    perSecond: elapsedMs > 0 ? sorted.length / (elapsedMs / 1_000) : 0,
    p50Ms: percentile(sorted, 0.5),
    p95Ms: percentile(sorted, 0.95),
    p99Ms: percentile(sorted, 0.99),
    hits: count('hit'),
    misses: count('miss'),
    failed: count('failed')
  }
}

/** How many times the answers of the one the other gave a second; undefined while there is nothing to compare. */
export function factorOf (cached: Summary, uncached: Summary): number | undefined {
  return cached.answers > 0 && uncached.answers > 0 ? cached.perSecond / uncached.perSecond : undefined
}
