import type { Clock } from '@respite/redis'
import { estimateOf } from './across-keys.ts'
import { type Calendar, floorTo, sizeMs } from './buckets.ts'
import { cardinalityOf, unionOf } from './sketch.ts'
import type { TrackingStore } from './stores/store.ts'
import type { UniqueInWindow } from './unique-count.ts'
import { resolveWindow } from './window.ts'

/** Distinct callers of several metrics together, by UTC days. */
export interface ActiveCallers {
  /** Today. */
  dau: UniqueInWindow
  /** Today and the six days before. */
  wau: UniqueInWindow
  /** Today and the 29 days before. */
  mau: UniqueInWindow
  /** Which part of those of the month came today: `dau.value / mau.value`, 0 to 1; 0 when nobody came. */
  stickiness: number
}

export interface ActiveParts {
  store: TrackingStore
  calendar: Calendar
  clock: Clock
  /** Keys by which ids may have been keyed. */
  keyIds: readonly string[]
}

/** Counts who was active; the metrics may lie in different slots, so each gives its registers and the union is made here. */
export async function activeCallers (metrics: readonly string[], { store, calendar, clock, keyIds }: ActiveParts): Promise<ActiveCallers> {
  const nowMs = clock.wallMs()
  const [dau, wau, mau] = await Promise.all([1, 7, 30].map(async days => {
    const since = new Date(floorTo('day', nowMs) - (days - 1) * sizeMs.day)
    const { from, to, buckets } = resolveWindow({ since }, nowMs, calendar.keep)
    const counts = await Promise.all(keyIds.map(async keyId => {
      return cardinalityOf(unionOf(await Promise.all(metrics.map(metric => store.sketch(metric, buckets, keyId)))))
    }))
    return { ...estimateOf(counts), from, to }
  })) as [UniqueInWindow, UniqueInWindow, UniqueInWindow]
  return { dau, wau, mau, stickiness: mau.value === 0 ? 0 : Math.min(1, dau.value / mau.value) }
}
