import { type Duration, durationMs } from '@respite/redis'
import { FST_RSP_CACHE_TTL_OUT_OF_BOUNDS } from './errors.ts'

/** Ten years: the soft expiry is written with 13 digits, and a timer of Node never sees it. */
export const maxTtlMs = 3_650 * 86_400_000

/**
 * A time to live in milliseconds.
 * @param name - the option's name, for the error
 * @throws FST_RSP_DURATION_INVALID, FST_RSP_CACHE_TTL_OUT_OF_BOUNDS
 */
export function ttlMs (ttl: Duration, name = 'ttl'): number {
  const ms = durationMs(ttl, name)
  if (ms < 1 || ms > maxTtlMs) throw new FST_RSP_CACHE_TTL_OUT_OF_BOUNDS(name, ms)
  return ms
}
