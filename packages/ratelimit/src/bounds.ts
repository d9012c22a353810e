import { durationText } from './duration-text.ts'
import type { AlgorithmName } from './rule.ts'

/** Units of a limit, a burst or a cost at most. */
export const largest = 1_000_000_000
/** Of a window. */
export const longestMs = 366 * 86_400_000
const loggedAtMost = 10_000
/** Each slot of a concurrency limit is 16 bytes, rewritten by each take and release. */
const slotsAtMost = 1_000
/** An interval is rounded up to a whole µs: below, the rate would be less than was said by more than a tenth. */
const shortestIntervalUs = 10

/** What a rule is made of. */
interface Amounts { readonly algorithm: AlgorithmName, readonly limit: number, readonly windowMs: number, readonly burst: number | undefined }

/** Why an algorithm cannot count so; undefined when it can. */
export function contradictionOf ({ algorithm, limit, windowMs, burst }: Amounts): string | undefined {
  if (algorithm === 'sliding-log' && limit > loggedAtMost) return `sliding-log remembers each admission: at most ${loggedAtMost}, got ${limit}; sliding-counter has no such bound`
  if (algorithm === 'concurrency' && limit > slotsAtMost) return `concurrency remembers each slot: at most ${slotsAtMost}, got ${limit}`
  if (algorithm !== 'gcra') return burst === undefined ? undefined : `'burst' belongs to gcra, not to ${algorithm}`
  if (limit === 0) return 'gcra needs a limit of 1 or more; a fixed-window of 0 refuses all'
  if (windowMs * 1_000 / limit < shortestIntervalUs) return `gcra reckons in whole microseconds: at most one unit in ${shortestIntervalUs} µs, got ${limit} in ${durationText(windowMs)}; sliding-counter has no such bound`
  if ((burst ?? limit) * windowMs / limit > longestMs) return `a burst of ${burst ?? limit} takes more than 366 days to come back`
  return undefined
}
