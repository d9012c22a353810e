import type { Clock } from '@respite/redis'
import { estimateOf } from './across-keys.ts'
import { type Calendar, floorTo, sizeMs } from './buckets.ts'
import { askedAtOnce, inPortions } from './in-portions.ts'
import { cardinalityOf, type Sketch, unionOf } from './sketch.ts'
import type { TrackingStore } from './stores/store.ts'
import type { UniqueInWindow } from './unique-count.ts'
import { resolveWindow } from './window.ts'

// Of a thousand metrics there would be 12 MB of registers.
const sketchesAtOnce = 32

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
  const windows = [1, 7, 30].map(days => {
    const since = new Date(floorTo('day', nowMs) - (days - 1) * sizeMs.day)
    return { ...resolveWindow({ since }, nowMs, calendar.keep), unions: keyIds.map(keyId => ({ keyId, sketches: [] as Sketch[] })) }
  })
  const questions = windows.flatMap(({ buckets, unions }) => unions.flatMap(union => metrics.map(metric => ({ metric, buckets, union }))))
  await inPortions(questions, askedAtOnce, async ({ metric, buckets, union: { keyId, sketches } }) => {
    sketches.push(await store.sketch(metric, buckets, keyId))
    if (sketches.length >= sketchesAtOnce) sketches.splice(0, sketches.length, unionOf(sketches))
  })
  const [dau, wau, mau] = windows.map(({ from, to, unions }) => {
    return { ...estimateOf(unions.map(({ sketches }) => cardinalityOf(unionOf(sketches)))), from, to }
  }) as [UniqueInWindow, UniqueInWindow, UniqueInWindow]
  return { dau, wau, mau, stickiness: mau.value === 0 ? 0 : Math.min(1, dau.value / mau.value) }
}
