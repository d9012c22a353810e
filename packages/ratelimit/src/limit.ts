import { defineOptions, type Duration } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { FST_RSP_RATELIMIT_LIMIT_INVALID } from './errors.ts'
import type { AlgorithmName, Rule } from './rule.ts'
import { durationText } from './duration-text.ts'

/** What happens while the store is away: this process counts its share, everybody passes, or nobody does. */
export type OnStoreError = 'local' | 'open' | 'closed'

/** Whom a limit counts: the client's address, or the user of the session and, for visitors, the address. */
export type CountedBy = 'ip' | 'user'

/** Whom a request is counted under; nothing: under the client's address. */
export type KeyOf = (request: FastifyRequest) => string | number | undefined | null | Promise<string | number | undefined | null>

/** A limit as an app writes it. */
export interface LimitOptions {
  /** Limits of one name share one count, on whatever routes. */
  name: string
  /** Units admitted in a window, with `concurrency` units in flight at once; 0 refuses all. */
  limit?: number
  /** The window; `concurrency` has none. */
  per?: Duration
  /** Instead of `limit` and `per`: `'1000/h'`, `'10/5s'`. */
  rate?: string
  /** With `gcra`: units admitted at once after a rest. @default the limit */
  burst?: number
  /** @default gcra where a burst is given, sliding-log up to 1024, sliding-counter above */
  algorithm?: AlgorithmName
  /** With `concurrency`: what a process held that is gone is free after it. @default 30000 */
  slotExpiryMs?: Duration
  /** @default 'ip' */
  by?: CountedBy
  /** Instead of `by`: whom a request is counted under. It runs before the handler, after the route's own preHandlers. */
  key?: KeyOf
  /** Units a request costs. @default 1 */
  cost?: number
  /** @default the plugin's */
  onStoreError?: OnStoreError
}

/** A limit, checked and complete. */
export interface Limit {
  readonly rule: Rule
  readonly by: CountedBy | 'key'
  readonly key: KeyOf | undefined
  readonly cost: number
  readonly onStoreError: OnStoreError
}

/** Units of a limit, a burst or a cost at most. */
export const largest = 1_000_000_000
/** Longest window. */
export const longestMs = 366 * 86_400_000
/** Largest limit of which each admission is remembered by default, 6 bytes each. */
const loggedUpTo = 1_024
const loggedAtMost = 10_000
/** Each slot of a concurrency limit is 16 bytes, rewritten by each take and release. */
const slotsAtMost = 1_000
const defaultSlotExpiryMs = 30_000
/** An interval is rounded up to a whole µs: below, the rate would be less than was said by more than a tenth. */
const shortestIntervalUs = 10

const name = { type: 'string', minLength: 1, maxLength: 128 }

/** Types and bounds of one limit. */
export const limitSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { ...name, description: 'Names the limit in answers, metrics and keys. Limits of one name share one count, on whatever routes.' },
    limit: { type: 'integer', minimum: 0, maximum: largest, description: 'Units admitted in a window, with `concurrency` units in flight at once; 0 refuses all.' },
    per: { duration: true, minimumMs: 1, maximumMs: longestMs, description: 'The window; `concurrency` has none.' },
    rate: { type: 'string', pattern: '^[0-9]{1,10}/[0-9]{0,10}(ms|s|m|h|d)$', description: 'Instead of `limit` and `per`: `1000/h`, `10/5s`.' },
    burst: { type: 'integer', minimum: 1, maximum: largest, description: 'Units admitted at once after a rest, with `gcra`. By default the limit.' },
    algorithm: { enum: ['fixed-window', 'sliding-log', 'sliding-counter', 'gcra', 'concurrency'], description: 'How admissions are counted; `concurrency` counts what is in flight. By default `gcra` where a burst is given, else `sliding-log` up to 1024, `sliding-counter` above.' },
    slotExpiryMs: { duration: true, minimumMs: 100, maximumMs: 86_400_000, description: 'With `concurrency`: what a process held that is gone is free after it; a living one renews its slots three times in it. By default 30 s.' },
    by: { enum: ['ip', 'user'], description: 'Whom it counts: the client\'s address (the default), or the user of the session and, for visitors, the address.' },
    key: { instance: 'function', description: 'Instead of `by`: `request => string | number | undefined`, async too; nothing counts the address. It runs after the route\'s own preHandlers.' },
    cost: { type: 'integer', minimum: 1, maximum: largest, default: 1, description: 'Units a request costs. One above the limit, with `gcra` above the burst, is always refused and never charged.' },
    onStoreError: { enum: ['local', 'open', 'closed'], description: 'While the store is away: as the plugin\'s option, for this limit.' }
  }
} as const

type Given = Omit<LimitOptions, 'per' | 'slotExpiryMs'> & { per?: number, slotExpiryMs?: number, cost: number }

const define = defineOptions<LimitOptions, Given>('ratelimit', limitSchema)

/**
 * Checks one limit and fills in the defaults.
 * @throws FST_RSP_OPTION_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID
 */
export function resolveLimit (options: LimitOptions, onStoreError: OnStoreError): Limit {
  const given = define(options)
  const { limit, windowMs } = amountOf(given)
  const algorithm = given.algorithm ?? (given.burst !== undefined ? 'gcra' : limit <= loggedUpTo ? 'sliding-log' : 'sliding-counter')
  refuseContradictions(given, { limit, windowMs, algorithm })
  const capacity = algorithm === 'gcra' ? given.burst ?? limit : limit
  return Object.freeze({
    rule: Object.freeze({ name: given.name, algorithm, limit, windowMs, capacity }),
    by: given.key === undefined ? given.by ?? 'ip' : 'key',
    key: given.key,
    cost: given.cost,
    onStoreError: given.onStoreError ?? onStoreError
  })
}

const unitMs: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function amountOf (given: Given): { limit: number, windowMs: number } {
  if (given.algorithm === 'concurrency') return slotsOf(given)
  const { name, limit, per, rate, slotExpiryMs } = given
  if (slotExpiryMs !== undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "'slotExpiryMs' belongs to concurrency")
  if (rate === undefined) {
    if (limit === undefined || per === undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "needs 'limit' and 'per', or 'rate'")
    return { limit, windowMs: per }
  }
  if (limit !== undefined || per !== undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "has 'rate' beside 'limit' or 'per'")
  const [, amount, count, unit] = /^(\d+)\/(\d*)(\D+)$/.exec(rate)!
  const windowMs = Number(count === '' ? 1 : count) * unitMs[unit!]!
  if (windowMs < 1 || windowMs > longestMs || Number(amount) > largest) {
    throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, `'rate' must be at most ${largest} in 1 ms to 366 days, got '${rate}'`)
  }
  return { limit: Number(amount), windowMs }
}

function slotsOf ({ name, limit, per, rate, slotExpiryMs = defaultSlotExpiryMs }: Given): { limit: number, windowMs: number } {
  if (per !== undefined || rate !== undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "concurrency counts what is in flight, it has no 'per' and no 'rate'")
  if (limit === undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "concurrency needs 'limit'")
  if (limit > slotsAtMost) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, `concurrency remembers each slot: at most ${slotsAtMost}, got ${limit}`)
  return { limit, windowMs: slotExpiryMs }
}

function refuseContradictions ({ name, burst, by, key }: Given, { limit, windowMs, algorithm }: { limit: number, windowMs: number, algorithm: AlgorithmName }): void {
  const refuse = (why: string) => { throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, why) }
  if (by !== undefined && key !== undefined) refuse("has both 'by' and 'key'")
  if (algorithm === 'sliding-log' && limit > loggedAtMost) refuse(`sliding-log remembers each admission: at most ${loggedAtMost}, got ${limit}; sliding-counter has no such bound`)
  if (algorithm !== 'gcra' && burst !== undefined) refuse(`'burst' belongs to gcra, not to ${algorithm}`)
  if (algorithm !== 'gcra') return
  if (limit === 0) refuse('gcra needs a limit of 1 or more; a fixed-window of 0 refuses all')
  if (windowMs * 1_000 / limit < shortestIntervalUs) refuse(`gcra reckons in whole microseconds: at most one unit in ${shortestIntervalUs} µs, got ${limit} in ${durationText(windowMs)}; sliding-counter has no such bound`)
  if ((burst ?? limit) * windowMs / limit > longestMs) refuse(`a burst of ${burst ?? limit} takes more than 366 days to come back`)
}
