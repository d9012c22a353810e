import type { CounterSeries, Metrics } from '@respite/redis'
import { metrics as names } from './metrics.ts'

/** What a limit decided. */
export type Decided = 'allowed' | 'refused' | 'would_refuse' | 'unchecked' | 'unavailable'

/** Counts the decisions of one limit on one route, and which refusals were for headroom alone; a series begins with its first. */
export type Meter = (decided: Decided, shed?: boolean) => void

/** Makes the meters of an app. */
export class Meters {
  readonly #decisions
  readonly #exceeded
  readonly #shed
  readonly #totals = new Map<string, Record<Decided, number>>()

  constructor (metrics: Metrics) {
    this.#decisions = metrics.counter(names.decisions)
    this.#exceeded = metrics.counter(names.exceeded)
    this.#shed = metrics.counter(names.shed)
  }

  /** Of all routes and calls, since the process started. */
  totals (limit: string): Record<Exclude<Decided, 'would_refuse'> | 'wouldRefuse', number> {
    const { would_refuse: wouldRefuse, ...totals } = this.#totalsOf(limit)
    return { ...totals, wouldRefuse }
  }

  /** @param route - method and pattern, or the name of the call */
  of (limit: string, route: string): Meter {
    const series: Partial<Record<Decided, CounterSeries>> = {}
    let exceeded: CounterSeries | undefined
    const totals = this.#totalsOf(limit)
    return (decided, shed) => {
      const counter = series[decided] ??= this.#decisions.of(limit, route, decided)
      counter.inc()
      totals[decided]++
      if (decided === 'refused') (exceeded ??= this.#exceeded.of(limit, route)).inc()
      if (decided === 'refused' && shed) this.#shed.of(limit).inc()
    }
  }

  #totalsOf (limit: string): Record<Decided, number> {
    const known = this.#totals.get(limit) ?? { allowed: 0, refused: 0, would_refuse: 0, unchecked: 0, unavailable: 0 }
    this.#totals.set(limit, known)
    return known
  }
}

/** What becomes of leased units. */
export type LeaseEvent = 'granted' | 'spent' | 'returned'

/** Counts what becomes of leased units, by limit; a series begins with its first. */
export class LeaseMeters {
  readonly #units
  readonly #answers
  readonly #series = new Map<string, Partial<Record<LeaseEvent | 'answers', CounterSeries>>>()

  constructor (metrics: Metrics) {
    this.#units = metrics.counter(names.leaseUnits)
    this.#answers = metrics.counter(names.leaseAnswers)
  }

  count (limit: string, event: LeaseEvent, units: number): void {
    const series = this.#series.get(limit) ?? {}
    this.#series.set(limit, series)
    ;(series[event] ??= this.#units.of(limit, event)).inc(units)
    if (event === 'spent') (series.answers ??= this.#answers.of(limit)).inc()
  }
}
