import { defineOptions, type Duration } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { FST_RSP_RATELIMIT_LIMIT_INVALID } from './errors.ts'
import type { BanRule } from './algorithms/ban.ts'
import { type BanOptions, banRule, banSchema, type GivenBan } from './ban-options.ts'
import { contradictionOf, largest, longestMs } from './bounds.ts'
import type { CostOf } from './cost.ts'
import { type DelayOptions, type DelayRule, delaySchema } from './delay-options.ts'
import { comparedPrefix, type Scope } from './http/scope.ts'
import { type GivenLease, type LeaseOptions, type LeaseRule, leaseRule, leaseSchema } from './leases/lease-options.ts'
import type { AlgorithmName, Rule } from './rule.ts'
import { type CountedOutcome, countedOutcomes, type CountIf } from './outcome-count.ts'
import type { LimitFor } from './tier.ts'
import { type LoadOptions, loadSchema } from './load-options.ts'

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
  /** Units a request costs; a function of the request, async too, runs after the route's own preHandlers. @default 1 */
  cost?: number | CostOf
  /** How much a request's subject has of this limit; it runs after the route's own preHandlers. What was counted is kept. */
  limitFor?: LimitFor
  /** Counts requests by their answers: each is charged at its start, and given back when its answer does not count. @default all count */
  count?: CountedOutcome
  /** Instead of `count`: whether a request counts, once its answer has gone out. */
  countIf?: CountIf
  /** Bans a subject after so many refusals, each time for longer. */
  ban?: BanOptions
  /** Lets requests wait for room, instead of refusing them at once. */
  delay?: DelayOptions
  /** Keeps units free while this process is busy; false: never. @default the plugin's */
  load?: LoadOptions | false
  /** With `fixed-window` and `gcra`: each process takes permits of a subject in batches and spends them without asking. */
  lease?: true | LeaseOptions
  /** Decides, counts and reports, but refuses nobody and writes no headers. @default false */
  shadow?: boolean
  /** In the plugin's `limits`: methods that it counts. @default all but OPTIONS */
  methods?: readonly string[]
  /** In the plugin's `limits`: the path below which it counts. @default '/' */
  prefix?: string
  /** @default the plugin's */
  onStoreError?: OnStoreError
}

/** A limit, checked and complete. */
export interface Limit {
  readonly rule: Rule
  readonly by: CountedBy | 'key'
  readonly key: KeyOf | undefined
  /** By hand, where a function of the request says it. */
  readonly cost: number
  readonly costOf: CostOf | undefined
  readonly limitFor: LimitFor | undefined
  readonly countIf: CountIf | undefined
  readonly shadow: boolean
  readonly ban: BanRule | undefined
  readonly delay: DelayRule | undefined
  /** Load from which on it keeps units free; false: never, absent: as the app's. */
  readonly shedAt: number | false | undefined
  readonly lease: LeaseRule | undefined
  /** Of a limit of every route. */
  readonly scope: Scope | undefined
  readonly onStoreError: OnStoreError
}

/** Largest limit of which each admission is remembered by default, 6 bytes each. */
const loggedUpTo = 1_024
const defaultSlotExpiryMs = 30_000

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
    cost: {
      anyOf: [{ type: 'integer', minimum: 1, maximum: largest }, { instance: 'function' }],
      default: 1,
      description: 'Units a request costs, or `request => number`, async too, run after the route\'s own preHandlers; 0 from it: not counted. A cost above the limit, with `gcra` above the burst, is always refused and never charged.'
    },
    limitFor: { instance: 'function', description: 'Tiers: `request => number | { limit, per, burst } | undefined`, async too, run after the route\'s own preHandlers; nothing: as the limit says. What was counted is kept when it changes.' },
    count: { enum: ['failures', 'successes'], description: 'Counts answers from status 400 on, or those below. A request is charged at its start and given back when its answer does not count.' },
    countIf: { instance: 'function', description: 'Instead of `count`: `(request, reply) => boolean`, async too, asked once the answer has gone out.' },
    ban: { ...banSchema, description: 'Bans a subject after so many refusals by this limit, each time for longer.' },
    delay: { ...delaySchema, description: 'Lets requests wait for room, instead of refusing them at once; calls by hand are answered at once.' },
    load: loadSchema,
    lease: { ...leaseSchema, description: '`true` or an object, with `fixed-window` and `gcra`: each process takes permits of a subject in batches and spends them without asking Redis. Not with `ban` and `limitFor`.' },
    shadow: { type: 'boolean', default: false, description: 'Decides, counts and reports in metrics and `onExceeded`, but refuses nobody and writes no headers.' },
    methods: { type: 'array', minItems: 1, items: { type: 'string', pattern: '^(?!OPTIONS$)[A-Z][A-Z-]*$' }, description: 'In the plugin\'s `limits` alone: methods that it counts; GET stands for HEAD too. By default all but OPTIONS.' },
    prefix: { type: 'string', pattern: '^/[^?#;]*$', maxLength: 1_024, description: 'In the plugin\'s `limits` alone: the path below which it counts, whole segments, whatever its case. By default `/`.' },
    onStoreError: { enum: ['local', 'open', 'closed'], description: 'While the store is away: as the plugin\'s option, for this limit.' }
  }
} as const

type Given = Omit<LimitOptions, 'per' | 'slotExpiryMs' | 'ban' | 'delay' | 'lease'> & {
  delay?: DelayRule, per?: number, slotExpiryMs?: number, cost: number | CostOf, shadow: boolean, ban?: GivenBan, lease?: GivenLease
}

const define = defineOptions<LimitOptions, Given>('ratelimit', limitSchema)

/**
 * Checks one limit and fills in the defaults.
 * @throws FST_RSP_OPTION_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID
 */
export function resolveLimit (options: LimitOptions, onStoreError: OnStoreError): Limit {
  const given = define(options)
  const { limit, windowMs } = amountOf(given)
  const algorithm = given.algorithm ?? defaultAlgorithm(given, limit)
  refuseContradictions(given, { limit, windowMs, algorithm })
  const capacity = algorithm === 'gcra' ? given.burst ?? limit : limit
  const rule = Object.freeze({ name: given.name, algorithm, limit, windowMs, capacity })
  return Object.freeze({
    rule,
    by: given.key === undefined ? given.by ?? 'ip' : 'key',
    key: given.key,
    cost: typeof given.cost === 'number' ? given.cost : 1,
    costOf: typeof given.cost === 'number' ? undefined : given.cost,
    limitFor: given.limitFor,
    countIf: given.count === undefined ? given.countIf : countedOutcomes[given.count],
    shadow: given.shadow,
    ban: given.ban === undefined ? undefined : banRule(given.name, given.ban, windowMs),
    delay: given.delay,
    shedAt: given.load === undefined || given.load === false ? given.load : given.load.shedAt,
    lease: given.lease === undefined ? undefined : leaseRule(given.lease, rule, given),
    scope: scopeOf(given),
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
  return { limit, windowMs: slotExpiryMs }
}

// A tier may be larger than what a log can hold.
function defaultAlgorithm ({ burst, limitFor }: Given, limit: number): AlgorithmName {
  if (burst !== undefined) return 'gcra'
  return limit <= loggedUpTo && limitFor === undefined ? 'sliding-log' : 'sliding-counter'
}

function scopeOf ({ methods, prefix }: Given): Scope | undefined {
  const compared = prefix === undefined ? undefined : comparedPrefix(prefix)
  return methods === undefined && compared === undefined ? undefined : { methods, prefix: compared }
}

function refuseContradictions (given: Given, { limit, windowMs, algorithm }: { limit: number, windowMs: number, algorithm: AlgorithmName }): void {
  const both = ([['by', 'key'], ['count', 'countIf'], ['delay', 'ban']] as const).find(([one, other]) => given[one] !== undefined && given[other] !== undefined)
  const ofWindows = algorithm === 'concurrency' && (given.shadow ? 'shadow' : (['count', 'countIf', 'delay'] as const).find(option => given[option] !== undefined))
  const why = both !== undefined
    ? `has both '${both[0]}' and '${both[1]}'`
    : ofWindows ? `'${ofWindows}' belongs to limits with a window, not to concurrency` : contradictionOf({ algorithm, limit, windowMs, burst: given.burst })
  if (why !== undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(given.name, why)
}

/**
 * For a limit that counts where it is named, and so has no use for a scope.
 * @throws FST_RSP_RATELIMIT_LIMIT_INVALID
 */
export function refuseScope ({ rule: { name }, scope }: Limit): void {
  if (scope !== undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "has 'methods' or 'prefix', which belong to the plugin's 'limits'")
}
