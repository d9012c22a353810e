import { type CounterSeries, defineOptions, type Duration, type Metric } from '@respite/redis'
import type { preHandlerHookHandler } from 'fastify'
import { longestMs } from './bounds.ts'
import { checkedCost } from './cost.ts'
import { type Events, exceededOf } from './events.ts'
import { FST_RSP_RATELIMIT_KEY_INVALID, FST_RSP_RATELIMIT_STORE_DOWN, FST_RSP_RATELIMIT_UNKNOWN } from './errors.ts'
import type { LimitUse } from './http/route-limits.ts'
import type { Limit } from './limit.ts'
import type { LimitChange, LimitChanges } from './limit-changes.ts'
import type { Limits } from './limits.ts'
import type { Ask, Limiter, Ruling } from './limiter.ts'
import type { Meters } from './meters.ts'
import type { AlgorithmName, Rule } from './rule.ts'
import type { SharedChanges } from './shared-changes.ts'
import type { AnsweredBy } from './stores/store.ts'
import { keyText, subjectOf } from './subject.ts'
import { mostTold, type RefusedCaller, type TopRefused } from './top-refused.ts'

/** What a limit said. */
export interface Decision {
  allowed: boolean
  /** Units admitted at once at most. */
  limit: number
  /** Units free afterwards; undefined while the store is away, since nobody knows. */
  remaining: number | undefined
  /** Until all is free again, in ms. */
  resetMs: number
  /** 0 when allowed; else until there is room if nobody else comes; Infinity when there never is. */
  retryAfterMs: number
  /** The limit's name when it refused. */
  violated: string | undefined
  /** What was asked for. */
  cost: number
  /** When it was decided, by the store's clock; for `refund`. */
  atMs: number
  /** Where it was decided. */
  by: AnsweredBy
  /** With concurrency: what `refund` gives back; it is held until then, or until this process ends. */
  slot?: number
}

/** A limit as it is now, and what this process has decided by it since it started. */
export interface LimitStats {
  name: string
  algorithm: AlgorithmName
  limit: number
  /** Of concurrency how long a slot is held that nobody renews. */
  windowMs: number
  /** Units admitted at once at most. */
  burst: number
  /** Whether `setLimit` has changed it. */
  changed: boolean
  allowed: number
  refused: number
  /** In shadow mode. */
  wouldRefuse: number
  /** While the store was away and the limit open. */
  unchecked: number
  /** While the store was away and the limit closed. */
  unavailable: number
  /** Of concurrency: what this process holds. */
  slotsHeld: number
}

/** What `stats` says. */
export interface RateLimitStats {
  /** In the order in which they were defined. */
  limits: LimitStats[]
  /** Subjects counted in the memory of this process. */
  memoryKeys: number
  /** Questions that the store did not answer in time or at all. */
  storeErrors: number
}

/** `fastify.rateLimit`: limits by hand. As a function it makes a preHandler. */
export interface RateLimit {
  /** A hook that checks these limits, whatever they count by. */
  (limits: LimitUse | readonly LimitUse[]): preHandlerHookHandler
  /**
   * Charges a limit for a key: a string or number for a limit with `key`, an address or a user's public name for the others.
   * @throws FST_RSP_RATELIMIT_UNKNOWN, FST_RSP_RATELIMIT_COST_INVALID, FST_RSP_RATELIMIT_KEY_INVALID, and FST_RSP_RATELIMIT_STORE_DOWN for a closed limit
   */
  take (name: string, key: string | number, options?: { cost?: number }): Promise<Decision>
  /** Says what `take` would; charges nothing. */
  peek (name: string, key: string | number, options?: { cost?: number }): Promise<Decision>
  /** Takes back what a decision has charged, as far as it still counts; with concurrency its slot. Once a decision. @throws a LinkError when the store is away */
  refund (name: string, key: string | number, decision: Decision): Promise<void>
  /** Forgets what a limit knows of a key. @throws a LinkError when the store is away */
  reset (name: string, key: string | number): Promise<void>
  /**
   * Changes a limit in every process, those that start later included, and keeps what was counted; null: back to what the code says.
   * @throws FST_RSP_OPTION_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID, and a LinkError when Redis has not taken it
   */
  setLimit (name: string, change: LimitChange | null): Promise<void>
  /**
   * Refuses a key for a time, in every process, whatever it has used.
   * @throws FST_RSP_OPTION_INVALID, and a LinkError when the store is away
   */
  block (name: string, key: string | number, duration: Duration): Promise<void>
  /** Ends a block. @throws a LinkError when the store is away */
  unblock (name: string, key: string | number): Promise<void>
  /** What this process has decided since it started. */
  stats (): RateLimitStats
  /** Who was refused most by this process since it started. @param k - how many, 0 to 1000, @default 10 @throws FST_RSP_OPTION_INVALID */
  top (k?: number): RefusedCaller[]
}

/** What it works with. */
export interface RateLimitParts {
  readonly limits: Limits
  readonly limiter: Limiter
  readonly changes: LimitChanges
  readonly shared: SharedChanges
  readonly blocks: Metric<CounterSeries>
  readonly meters: Meters
  readonly top: TopRefused
  readonly events: Events
  readonly hook: (limits: LimitUse | readonly LimitUse[]) => preHandlerHookHandler
}

/** Makes `fastify.rateLimit`. */
export function createRateLimit ({ limits, limiter, changes, shared, blocks, meters, top, events, hook }: RateLimitParts): RateLimit {
  const find = (name: string): Limit => {
    const limit = limits.find(name)
    if (limit === undefined) throw new FST_RSP_RATELIMIT_UNKNOWN(name)
    return limit
  }
  const askOf = (name: string, key: string | number, cost: number | undefined): Ask & { who: string } => {
    const limit = find(name)
    const who = keyText(name, key)
    if (who === undefined) throw new FST_RSP_RATELIMIT_KEY_INVALID(name, String(key))
    return { rule: changes.of(limit.rule), ban: limit.ban, lease: limit.lease, limit, who, subject: subjectOf(limit.by, who), cost: checkedCost(name, cost ?? limit.cost) }
  }
  return Object.assign(hook, {
    async take (name: string, key: string | number, { cost }: { cost?: number } = {}) {
      const ask = askOf(name, key, cost)
      const ruling = await new Promise<Ruling>(resolve => limiter.take([ask], resolve))
      const { by, shed } = ruling.answers[0]!
      meters.of(name, 'take')(ruling.decision === 'allowed' && by === 'none' ? 'unchecked' : ruling.decision, shed)
      if (ruling.decision === 'refused') {
        top.note(name, ask.who, ask.subject)
        events.bans([ask], ruling)
        events.exceeded({ limits: exceededOf([ask], ruling), shadow: false })
      }
      return decisionOf(ask, ruling)
    },
    async peek (name: string, key: string | number, { cost }: { cost?: number } = {}) {
      const ask = askOf(name, key, cost)
      return decisionOf(ask, await new Promise<Ruling>(resolve => limiter.peek([ask], resolve)))
    },
    async refund (name: string, key: string | number, { allowed, cost, atMs, by, slot }: Decision) {
      const { rule: now, limit, subject } = askOf(name, key, cost)
      // What is 0 for now counts nothing; what it has charged before is given back by the rule of the code.
      const rule = now.capacity === 0 ? limit.rule : now
      if (allowed && (by !== 'none' || slot !== undefined)) await limiter.refund([{ rule, subject, cost, atMs, by, slot }])
    },
    async reset (name: string, key: string | number) {
      const { rule, subject } = askOf(name, key, undefined)
      await limiter.reset(rule, subject)
    },
    async setLimit (name: string, change: LimitChange | null) {
      await shared.set(find(name).rule, change)
    },
    async block (name: string, key: string | number, duration: Duration) {
      const { rule, subject } = askOf(name, key, undefined)
      await limiter.block(rule, subject, defineBlock({ duration }).duration)
      blocks.of(name).inc()
    },
    async unblock (name: string, key: string | number) {
      const { rule, subject } = askOf(name, key, undefined)
      await limiter.block(rule, subject, 0)
    },
    stats: () => ({
      limits: limits.all().map(({ rule, rule: { name } }) =>
        statsOf(changes.of(rule), { changed: changes.isChanged(name), ...meters.totals(name), slotsHeld: limiter.slots.sizeOf(name) })),
      ...limiter.sizes()
    }),
    top: (k?: number) => top.top(defineTop(k === undefined ? {} : { k }).k)
  })
}

const defineBlock = defineOptions<{ duration: Duration }, { duration: number }>('block', {
  properties: { duration: { duration: true, minimumMs: 1, maximumMs: longestMs } }, required: ['duration']
})

const defineTop = defineOptions<{ k?: number }, { k: number }>('top', { properties: { k: { type: 'integer', minimum: 0, maximum: mostTold, default: 10 } } })

function statsOf ({ name, algorithm, limit, windowMs, capacity }: Rule, counted: Omit<LimitStats, 'name' | 'algorithm' | 'limit' | 'windowMs' | 'burst'>): LimitStats {
  return { name, algorithm, limit, windowMs, burst: capacity, ...counted }
}

function decisionOf ({ rule, cost, slot }: Ask, { decision, answers }: Ruling): Decision {
  if (decision === 'unavailable') throw new FST_RSP_RATELIMIT_STORE_DOWN()
  const { remaining, resetMs, waitMs, atMs, by } = answers[0]!
  const allowed = decision === 'allowed'
  return { allowed, limit: rule.capacity, remaining: by === 'store' ? remaining : undefined, resetMs, retryAfterMs: waitMs, violated: allowed ? undefined : rule.name, cost, atMs, by, ...(allowed && slot !== undefined && { slot }) }
}
