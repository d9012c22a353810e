import type { FastifyRequest } from 'fastify'
import { FST_RSP_RATELIMIT_COMPAT_READ, FST_RSP_RATELIMIT_COMPAT_VALUE } from '../errors.ts'
import { keyText } from '../subject.ts'
import { shownValue } from '../shown-value.ts'
import type { FastifyRateLimitStore, HitCount } from './hit-store.ts'
import { normalizeIP } from './normalize-ip.ts'
import type { RateLimitOptions } from './options.ts'
import type { Settings } from './settings.ts'

/** A limit and where it counts. */
export interface CompatLimit { readonly settings: Settings, readonly store: FastifyRateLimitStore }

/** Of a request that the allow list lets pass, uncounted. */
export interface Allowed { isAllowed: true, key: string }

/** How a request stands with a limit. */
export interface Counted {
  isAllowed: false
  key: string
  max: number
  /** In ms. */
  timeWindow: number
  remaining: number
  /** Ms until the window ends. */
  ttl: number
  ttlInSeconds: number
  isExceeded: boolean
  isBanned: boolean
}

/** What `createRateLimit()` may be told of a call. */
export interface CallOptions {
  /** False: tells how things stand, and counts nothing. @default true */
  increment?: boolean
}

/**
 * Counts a request.
 * @throws what the store throws, unless `skipOnError`; FST_RSP_RATELIMIT_COMPAT_VALUE, FST_RSP_RATELIMIT_COMPAT_READ,
 * FST_RSP_RATELIMIT_KEY_INVALID
 */
export async function standingOf ({ settings, store }: CompatLimit, request: FastifyRequest, { increment = true }: CallOptions = {}): Promise<Allowed | Counted> {
  const key = await keyOf(settings, request)
  if (settings.allowList !== undefined && await isListed(settings.allowList, request, key)) return { isAllowed: true, key }
  const max = typeof settings.max === 'number' ? settings.max : checkedMax(await settings.max(request, key))
  const timeWindow = typeof settings.timeWindow === 'number' ? settings.timeWindow : checkedWindow(await settings.timeWindow(request, key))
  if (!increment && typeof store.read !== 'function') throw new FST_RSP_RATELIMIT_COMPAT_READ()
  const { current, ttl } = await counted(store, { key, timeWindow, max, increment }).catch((error: unknown) => {
    if (!settings.skipOnError) throw error
    return { current: 0, ttl: 0 }
  })
  return {
    isAllowed: false,
    key,
    max,
    timeWindow,
    remaining: Math.max(0, max - current),
    ttl,
    ttlInSeconds: Math.ceil(ttl / 1_000),
    isExceeded: current > max,
    isBanned: settings.ban !== -1 && current - max > settings.ban
  }
}

// Whoever the key function names nothing for share one count, under the text 'undefined', as with @fastify/rate-limit.
async function keyOf ({ keyGenerator, ipv6Subnet, groupId }: Settings, request: FastifyRequest): Promise<string> {
  // A socket that is gone, or one of Unix, has no address.
  const own = keyGenerator === undefined ? normalizeIP(request.ip ?? 'unknown', ipv6Subnet) : await keyGenerator(request)
  keyText('keyGenerator', own)
  const group = groupId ?? (request.routeOptions.config.rateLimit as RateLimitOptions | undefined)?.groupId
  return group === undefined || group === '' ? own as string : `${own}${group}`
}

function isListed (allowList: NonNullable<Settings['allowList']>, request: FastifyRequest, key: string): boolean | Promise<boolean> {
  return typeof allowList === 'function' ? allowList(request, key) : allowList.includes(key)
}

function counted (store: FastifyRateLimitStore, { key, timeWindow, max, increment }: { key: string, timeWindow: number, max: number, increment: boolean }): Promise<HitCount> {
  return new Promise((resolve, reject) => {
    store[increment ? 'incr' : 'read']!(key, (error, result) => error ? reject(error) : resolve(result!), timeWindow, max)
  })
}

function checkedMax (max: unknown): number {
  if (typeof max !== 'number' || Number.isNaN(max)) throw new FST_RSP_RATELIMIT_COMPAT_VALUE('max', 'a number', shownValue(max))
  return max
}

function checkedWindow (ms: unknown): number {
  if (typeof ms !== 'number' || !(ms >= 0 && ms <= Number.MAX_SAFE_INTEGER)) throw new FST_RSP_RATELIMIT_COMPAT_VALUE('timeWindow', 'ms, 0 or more', shownValue(ms))
  return Math.trunc(ms)
}
