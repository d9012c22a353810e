import { inspect } from 'node:util'
import { type Bucket, bucketAt, type Calendar, dayStepMs, floorTo, type Granularity, sizeMs, startOf } from './buckets.ts'
import { FST_RSP_TRACKING_BY_INVALID, FST_RSP_TRACKING_ZONE } from './errors.ts'
import { edgesOf, type WindowOptions } from './window.ts'

/** Which series is asked for. */
export interface SeriesOptions extends WindowOptions {
  by: Granularity
  /** Time zone whose calendar days are meant; it must be one of option `zones`. @default 'UTC' */
  tz?: string
}

/**
 * The buckets of a series, the oldest first, and when each begins.
 * @throws FST_RSP_TRACKING_WINDOW, _ZONE, _BY_INVALID
 */
export function seriesBuckets ({ by, tz = 'UTC', ...window }: SeriesOptions, nowMs: number, calendar: Calendar): { start: string, bucket: Bucket }[] {
  if (!Object.hasOwn(sizeMs, by)) throw new FST_RSP_TRACKING_BY_INVALID(inspect(by, { depth: 0, maxStringLength: 40 }))
  const utc = tz === 'UTC'
  if (!utc && (by !== 'day' || !calendar.zones.includes(tz))) {
    throw new FST_RSP_TRACKING_ZONE(by, String(tz).slice(0, 40), calendar.zones.join(', '))
  }
  const { sinceMs, untilMs } = edgesOf(window, nowMs, calendar.keep, by)
  const places = new Map<string, { start: string, bucket: Bucket }>()
  const stepMs = utc ? sizeMs[by] : dayStepMs
  // The last step may lie beyond the end; what holds the end's last millisecond is the last.
  for (let ms = utc ? floorTo(by, sinceMs) : sinceMs; ; ms += stepMs) {
    const at = Math.min(ms, untilMs - 1)
    const bucket = utc ? bucketAt(by, at, calendar.keep) : calendar.dayOf(tz, at)
    places.set(bucket.name, { start: startOf(bucket, by), bucket })
    if (ms >= untilMs - 1) return Array.from(places.values())
  }
}
