import type { Duration } from '@respite/redis'
import type { BanRule } from './algorithms/ban.ts'
import { longestMs } from './bounds.ts'
import { FST_RSP_RATELIMIT_LIMIT_INVALID } from './errors.ts'

/** Bans for who does not stop. */
export interface BanOptions {
  /** Refusals by this limit within `per` that ban. */
  after: number
  /** @default the limit's window */
  per?: Duration
  /** The first ban. */
  for: Duration
  /** Each further ban is so many times as long. @default 2 */
  factor?: number
  /** The longest ban; who has had none for as long begins anew. @default a day, or `for` where that is longer */
  max?: Duration
}

/** As the schema leaves them. */
export interface GivenBan { after: number, per?: number, for: number, factor: number, max?: number }

const defaultMaxMs = 86_400_000

/** Types and bounds of `ban`. */
export const banSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['after', 'for'],
  properties: {
    after: { type: 'integer', minimum: 1, maximum: 1_000_000, description: 'Refusals by this limit within `per` that ban.' },
    per: { duration: true, minimumMs: 1, maximumMs: longestMs, description: 'By default the limit\'s window.' },
    for: { duration: true, minimumMs: 1_000, maximumMs: longestMs, description: 'The first ban.' },
    factor: { type: 'number', minimum: 1, maximum: 100, default: 2, description: 'Each further ban is so many times as long.' },
    max: { duration: true, minimumMs: 1_000, maximumMs: longestMs, description: 'The longest ban; who has had none for as long begins anew. By default a day, or `for` where that is longer.' }
  }
} as const

/** @throws FST_RSP_RATELIMIT_LIMIT_INVALID when the longest ban is shorter than the first */
export function banRule (limit: string, { after, per, for: forMs, factor, max }: GivenBan, windowMs: number): BanRule {
  const maxMs = max ?? Math.max(defaultMaxMs, forMs)
  if (maxMs < forMs) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(limit, `'ban.max' of ${maxMs} ms is shorter than 'ban.for' of ${forMs} ms`)
  return Object.freeze({ after, windowMs: per ?? windowMs, forMs, factor, maxMs })
}
