import type { CounterSeries, Metrics } from '@respite/redis'
import { metrics as names } from './metrics.ts'

/** What a limit decided. */
export type Decided = 'allowed' | 'refused' | 'unchecked' | 'unavailable'

/** Counts the decisions of one limit on one route; a series begins with its first. */
export type Meter = (decided: Decided) => void

/** Makes the meters of an app. */
export class Meters {
  readonly #decisions
  readonly #exceeded

  constructor (metrics: Metrics) {
    this.#decisions = metrics.counter(names.decisions)
    this.#exceeded = metrics.counter(names.exceeded)
  }

  /** @param route - method and pattern, or the name of the call */
  of (limit: string, route: string): Meter {
    const series: Partial<Record<Decided, CounterSeries>> = {}
    let exceeded: CounterSeries | undefined
    return decided => {
      (series[decided] ??= this.#decisions.of(limit, route, decided)).inc()
      if (decided === 'refused') (exceeded ??= this.#exceeded.of(limit, route)).inc()
    }
  }
}
