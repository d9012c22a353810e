import { type Duration, durationMs } from '@respite/redis'
import { inspect } from 'node:util'
import { type Bucket, bucketAt, finestFirst, floorTo, type Granularity, type Keep, remainingMs, sizeMs } from './buckets.ts'
import { FST_RSP_TRACKING_WINDOW } from './errors.ts'

/** The stretch of time that is asked for. */
export interface WindowOptions {
  /** How long ago it starts, or when. @default all that is kept */
  since?: Duration | Date
  /** When it ends, exclusive. @default now */
  until?: Date
}

/** What is really counted: the window asked for, widened to the buckets that are kept. */
export interface Window {
  /** Inclusive. */
  readonly from: Date
  /** Exclusive; now, where the window has not ended. */
  readonly to: Date
  /** The fewest buckets that make up the window, the oldest first. */
  readonly buckets: readonly Bucket[]
}

const coarsestFirst = ['day', 'hour', 'minute'] as const

/**
 * Finds the buckets of a window.
 * @throws FST_RSP_TRACKING_WINDOW when it ends before it starts, lies in the future, or begins before what is kept
 */
export function resolveWindow (given: WindowOptions, nowMs: number, keep: Keep): Window {
  const { sinceMs, untilMs } = edgesOf(given, nowMs, keep, 'day')
  const fromMs = floorTo(finestKept(sinceMs, nowMs, keep), sinceMs)
  // The minute that is running has no end yet: whatever holds it may be taken whole.
  if (untilMs > floorTo('minute', nowMs)) return { from: new Date(fromMs), to: new Date(nowMs), buckets: cover(fromMs, Infinity, nowMs, keep)! }
  for (const granularity of finestFirst.slice(finestFirst.indexOf(finestKept(untilMs - 1, nowMs, keep)))) {
    const toMs = floorTo(granularity, untilMs - 1) + sizeMs[granularity]
    if (toMs > nowMs) break
    const buckets = cover(fromMs, toMs, nowMs, keep)
    if (buckets !== undefined) return { from: new Date(fromMs), to: new Date(toMs), buckets }
  }
  return { from: new Date(fromMs), to: new Date(nowMs), buckets: cover(fromMs, Infinity, nowMs, keep)! }
}

/**
 * The edges of a window, checked.
 * @param granularity - of the buckets that are needed, which bounds how far back it may begin
 * @throws FST_RSP_TRACKING_WINDOW
 */
export function edgesOf (given: WindowOptions, nowMs: number, keep: Keep, granularity: Granularity): { sinceMs: number, untilMs: number } {
  const { since, until } = given
  const oldestMs = nowMs - keep[granularity]
  const sinceMs = since === undefined ? oldestMs : since instanceof Date ? since.getTime() : nowMs - durationMs(since, 'since')
  // The end is exclusive, and what happened in this very millisecond has happened.
  const untilMs = until === undefined ? nowMs + 1 : until instanceof Date ? until.getTime() : Number.NaN
  const wrong = complaint({ sinceMs, untilMs, nowMs, oldestMs }) ?? (sinceMs === nowMs && !(since instanceof Date) ? 'ends before it starts' : undefined)
  if (wrong !== undefined) throw new FST_RSP_TRACKING_WINDOW(`${describe(given)} ${wrong}`, kept(keep))
  return { sinceMs, untilMs }
}

// The largest bucket that begins where the last one ended and fits, again and again; undefined when one of them is no longer kept.
function cover (fromMs: number, toMs: number, nowMs: number, keep: Keep): Bucket[] | undefined {
  const buckets: Bucket[] = []
  for (let atMs = fromMs; atMs < toMs && atMs <= nowMs;) {
    const fits = (granularity: Granularity) => atMs % sizeMs[granularity] === 0 && atMs + sizeMs[granularity] <= toMs
    const bucket = bucketAt(coarsestFirst.find(fits)!, atMs, keep)
    if (remainingMs(bucket, nowMs) <= 0) return undefined
    buckets.push(bucket)
    atMs = bucket.endMs
  }
  return buckets
}

const finestKept = (ms: number, nowMs: number, keep: Keep): Granularity =>
  finestFirst.find(granularity => remainingMs(bucketAt(granularity, ms, keep), nowMs) > 0) ?? 'day'

function complaint ({ sinceMs, untilMs, nowMs, oldestMs }: Record<'sinceMs' | 'untilMs' | 'nowMs' | 'oldestMs', number>): string | undefined {
  if (Number.isNaN(sinceMs) || Number.isNaN(untilMs)) return 'has an edge that is no valid date'
  if (sinceMs > nowMs || floorTo('minute', untilMs - 1) > nowMs) return 'lies in the future'
  if (untilMs <= sinceMs) return 'ends before it starts'
  if (sinceMs < oldestMs) return 'begins before what is kept'
  return undefined
}

function kept (keep: Keep): string {
  const span = (ms: number) => ms % sizeMs.day === 0 ? `${ms / sizeMs.day} days` : ms % sizeMs.hour === 0 ? `${ms / sizeMs.hour} hours` : `${Math.round(ms / sizeMs.minute)} minutes`
  return `minutes for ${span(keep.minute)}, hours for ${span(keep.hour)}, days for ${span(keep.day)}`
}

function describe ({ since, until }: WindowOptions): string {
  const show = (value: unknown) => inspect(value, { depth: 0, maxStringLength: 40, maxArrayLength: 3, breakLength: Infinity })
  return [since === undefined ? '' : `since ${show(since)}`, until === undefined ? '' : `until ${show(until)}`].filter(Boolean).join(' ')
}
