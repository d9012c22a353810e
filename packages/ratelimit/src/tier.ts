import { type Duration, durationMs } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { contradictionOf, largest, longestMs } from './bounds.ts'
import { FST_RSP_RATELIMIT_TIER_INVALID } from './errors.ts'
import type { Rule } from './rule.ts'
import { shownValue } from './shown-value.ts'

/** How much of a limit somebody has; what is absent is as the limit says. */
export interface Tier { limit?: number, per?: Duration, burst?: number }

/** How much a request's subject has: units in the window, or more than that; nothing: as the limit says. */
export type LimitFor = (request: FastifyRequest) => TierAnswer | Promise<TierAnswer>

type TierAnswer = number | Tier | undefined | null

/**
 * The rule of a limit for a tier. What was counted is kept: an algorithm brings its state to the rule that asks.
 * @throws FST_RSP_RATELIMIT_TIER_INVALID
 */
export function tierRule (base: Rule, answer: unknown): Rule {
  if (answer === undefined || answer === null) return base
  const refuse = (why: string): never => { throw new FST_RSP_RATELIMIT_TIER_INVALID(base.name, shownValue(answer), why) }
  if (typeof answer !== 'number' && typeof answer !== 'object') return refuse('neither a number nor { limit, per, burst }')
  const tier = typeof answer === 'number' ? { limit: answer } : answer as Tier
  const unknown = Object.keys(tier).find(name => !['limit', 'per', 'burst'].includes(name))
  if (unknown !== undefined) return refuse(`'${unknown}' is unknown`)
  const limit = tier.limit ?? base.limit
  const windowMs = tier.per === undefined ? base.windowMs : windowOf(tier.per)
  if (!isUnits(limit, 0)) return refuse(`'limit' must be a whole number from 0 to ${largest}`)
  if (windowMs === undefined) return refuse("'per' must be a duration from 1 ms to 366 days")
  if (base.algorithm === 'concurrency' && tier.per !== undefined) return refuse("concurrency counts what is in flight, it has no 'per'")
  if (tier.burst !== undefined && !isUnits(tier.burst, 1)) return refuse(`'burst' must be a whole number from 1 to ${largest}`)
  const burst = tier.burst ?? (base.algorithm === 'gcra' && base.capacity !== base.limit ? base.capacity : undefined)
  const contradiction = contradictionOf({ algorithm: base.algorithm, limit, windowMs, burst })
  if (contradiction !== undefined) return refuse(contradiction)
  return { ...base, limit, windowMs, capacity: base.algorithm === 'gcra' ? burst ?? limit : limit }
}

const isUnits = (value: unknown, least: number) => Number.isInteger(value) && value as number >= least && value as number <= largest

function windowOf (per: Duration): number | undefined {
  try {
    const ms = durationMs(per)
    return ms >= 1 && ms <= longestMs ? ms : undefined
  } catch {
    // The caller names the value.
    return undefined
  }
}
