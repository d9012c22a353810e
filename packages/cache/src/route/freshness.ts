import { type Directives, deltaMs } from './directives.ts'

type Headers = Readonly<Record<string, unknown>>

/** What a route settles of the times of its answers, in ms. */
export interface Times {
  /** Where answers do not say; and never longer. */
  readonly ttlMs: number | undefined
  /** Where answers do not say. */
  readonly swrMs: number
  readonly staleIfErrorMs: number
}

/** How long an answer may be used, in ms. */
export interface Lifetime {
  readonly freshMs: number
  /** Its age when it came: it may have lain in caches before. */
  readonly ageMs: number
  /** How long past its freshness it may be answered while it is refreshed, and when refreshing fails. */
  readonly swrMs: number
  readonly staleIfErrorMs: number
  /** Whether a request's max-stale must not be heard. */
  readonly strict: boolean
}

/** Whether an answer itself says how long it is fresh. @see RFC 9111, 4.2.1 */
export function saysHowLong (headers: Headers, directives: Directives): boolean {
  return directives.has('s-maxage') || directives.has('max-age') || headers['expires'] !== undefined
}

/** @param nowMs - wall time, for an answer without Date */
export function lifetimeOf (headers: Headers, directives: Directives, { times, nowMs }: { times: Times, nowMs: number }): Lifetime {
  const ageMs = ageOf(headers['age'])
  const own = saysHowLong(headers, directives) ? ownMs(headers, directives, nowMs) - ageMs : undefined
  const freshMs = Math.max(0, Math.min(own ?? times.ttlMs ?? 0, times.ttlMs ?? Number.POSITIVE_INFINITY))
  // RFC 9111, 5.2.2.2 and 5.2.2.8: never stale. RFC 9111, 5.2.2.10 says the same of s-maxage; but who adds a window of RFC 5861 to it means it.
  const never = directives.has('must-revalidate') || directives.has('proxy-revalidate')
  return {
    freshMs,
    ageMs,
    swrMs: never ? 0 : windowMs(directives, 'stale-while-revalidate', times.swrMs), // RFC 5861, 3
    staleIfErrorMs: never ? 0 : windowMs(directives, 'stale-if-error', times.staleIfErrorMs), // RFC 5861, 4
    strict: never || directives.has('s-maxage')
  }
}

/** A shared cache heeds s-maxage, then max-age, then Expires. @see RFC 9111, 4.2.1 */
function ownMs (headers: Headers, directives: Directives, nowMs: number): number {
  const delta = deltaMs(directives, 's-maxage') ?? deltaMs(directives, 'max-age')
  if (delta !== undefined) return Number.isNaN(delta) ? 0 : delta
  // RFC 9111, 5.3: an Expires that is no date, such as 0, is in the past.
  const expires = Date.parse(String(headers['expires']))
  const date = headers['date'] === undefined ? nowMs : Date.parse(String(headers['date']))
  return Number.isNaN(expires - date) ? 0 : expires - date
}

function windowMs (directives: Directives, name: string, otherwise: number): number {
  const ms = deltaMs(directives, name)
  if (ms === undefined) return otherwise
  return Number.isNaN(ms) ? 0 : ms
}

/** @see RFC 9111, 5.1 */
function ageOf (header: unknown): number {
  const seconds = Number(header ?? 0)
  return seconds > 0 && Number.isFinite(seconds) ? seconds * 1_000 : 0
}
