import type { Clock } from '@respite/redis'
import { estimateOf, type UniqueEstimate } from './across-keys.ts'
import type { Bucket, Calendar } from './buckets.ts'
import { askedAtOnce, inPortions } from './in-portions.ts'
import { seriesBuckets, type SeriesOptions } from './series.ts'
import type { TrackingStore } from './stores/store.ts'
import { resolveWindow, type WindowOptions } from './window.ts'

/** An estimate, with the window that was really counted: the one asked for, widened to what is kept. */
export interface UniqueInWindow extends UniqueEstimate {
  /** Inclusive. */
  from: Date
  /** Exclusive; now, where the window has not ended. */
  to: Date
}

/** An estimate for one minute, hour or day of a series. */
export interface UniqueAt extends UniqueEstimate {
  /** When it begins: `2026-05-10` for a day, an instant of ISO 8601 otherwise. */
  start: string
}

export interface UniqueParts {
  store: TrackingStore
  calendar: Calendar
  clock: Clock
  /** Keys by which ids may have been keyed. */
  keyIds: readonly string[]
  flush: () => Promise<void>
}

/** Distinct callers of a metric. */
export class UniqueCount {
  readonly #metric: string
  readonly #parts: UniqueParts

  constructor (metric: string, parts: UniqueParts) {
    this.#metric = metric
    this.#parts = parts
  }

  /**
   * Distinct callers in a window, by default in all that is kept.
   * @throws FST_RSP_TRACKING_WINDOW, or a `LinkError` when Redis does not answer
   */
  async count (options: WindowOptions = {}): Promise<UniqueInWindow> {
    const { calendar, clock, flush } = this.#parts
    const { from, to, buckets } = resolveWindow(options, clock.wallMs(), calendar.keep)
    await flush()
    return { ...await this.#estimate(buckets), from, to }
  }

  /**
   * Distinct callers by minute, hour or day, the oldest first; by default of all that is kept of these.
   * @throws FST_RSP_TRACKING_WINDOW, _ZONE, _BY_INVALID, or a `LinkError` when Redis does not answer
   */
  async series (options: SeriesOptions): Promise<UniqueAt[]> {
    const { calendar, clock, flush } = this.#parts
    const places = seriesBuckets(options, clock.wallMs(), calendar)
    await flush()
    return await inPortions(places, Math.ceil(askedAtOnce / this.#parts.keyIds.length), async ({ start, bucket }) => ({ start, ...await this.#estimate([bucket]) }))
  }

  async #estimate (buckets: readonly Bucket[]): Promise<UniqueEstimate> {
    const { store, keyIds } = this.#parts
    return estimateOf(await Promise.all(keyIds.map(keyId => store.count(this.#metric, buckets, keyId))))
  }
}
