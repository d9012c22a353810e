import type { Clock } from '@respite/redis'
import { cacheCountsOf } from './cache-counts.ts'
import type { CacheCounts, Sample } from './frame.ts'
import type { Latencies } from './latencies.ts'
import type { MetricValues } from './metric-values.ts'

// Asked for before each sample: each of them looks at numbers of this process and at nothing else.
const gauges = ['cache_entries', 'cache_bytes', 'redis_breaker_state']

/** What a sample has the differences of. */
interface Counts extends CacheCounts {
  allowed: number
  refused: number
  sessionsCreated: number
  sessionsEnded: number
}

/** Turns counters that only grow into what each second has brought. */
export class Sampler {
  readonly #values: MetricValues
  readonly #latencies: Latencies
  readonly #clock: Clock
  #before: Counts
  #beforeMs: number

  constructor (values: MetricValues, latencies: Latencies, clock: Clock) {
    this.#values = values
    this.#latencies = latencies
    this.#clock = clock
    this.#before = countsOf(values)
    this.#beforeMs = clock.monotonicMs()
  }

  /** What has happened since it was called last; to be called once a second. */
  async take (): Promise<Sample> {
    const values = this.#values
    await values.refresh(...gauges)
    this.#latencies.look()
    const now = countsOf(values)
    const nowMs = this.#clock.monotonicMs()
    const brought = (name: keyof Counts) => now[name] - this.#before[name]
    const sample = {
      atMs: this.#clock.wallMs(),
      seconds: (nowMs - this.#beforeMs) / 1_000,
      hitsL1: brought('hitsL1'),
      hitsL2: brought('hitsL2'),
      misses: brought('misses'),
      fills: brought('fills'),
      invalidations: brought('invalidations'),
      evictions: brought('evictions'),
      allowed: brought('allowed'),
      refused: brought('refused'),
      sessionsCreated: brought('sessionsCreated'),
      sessionsEnded: brought('sessionsEnded'),
      entries: values.sum('cache_entries'),
      bytes: values.sum('cache_bytes'),
      breaker: values.sum('redis_breaker_state'),
      ...this.#latenciesNow()
    }
    this.#before = now
    this.#beforeMs = nowMs
    return sample
  }

  #latenciesNow () {
    const latencies = this.#latencies
    return {
      l1P50Ms: latencies.of('l1', 0.5),
      l1P99Ms: latencies.of('l1', 0.99),
      l2P50Ms: latencies.of('l2', 0.5),
      l2P99Ms: latencies.of('l2', 0.99),
      factoryP99Ms: latencies.of('factory', 0.99),
      redisP50Ms: latencies.of('redis', 0.5),
      redisP99Ms: latencies.of('redis', 0.99)
    }
  }
}

function countsOf (values: MetricValues): Counts {
  return {
    ...cacheCountsOf(values),
    allowed: values.sum('rate_limit_decisions_total', { decision: 'allowed' }),
    refused: values.sum('rate_limit_decisions_total', { decision: 'refused' }),
    sessionsCreated: values.sum('session_events_total', { event: 'created' }),
    sessionsEnded: values.sum('session_events_total', { event: 'revoked' }) + values.sum('session_events_total', { event: 'expired' })
  }
}
