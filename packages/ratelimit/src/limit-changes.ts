import { defineOptions, type Duration } from '@respite/redis'
import { FST_RSP_RATELIMIT_LIMIT_INVALID } from './errors.ts'
import { type LimitOptions, limitSchema, resolveLimit } from './limit.ts'
import type { Rule } from './rule.ts'

/** What of a limit can be changed while the app runs. What is not given stays as it is. */
export interface LimitChange {
  limit?: number
  per?: Duration
  burst?: number
}

const { limit, per, burst } = limitSchema.properties
const define = defineOptions<LimitChange, { limit?: number, per?: number, burst?: number }>('setLimit', { properties: { limit, per, burst } })

/** The limits of an app as they are now. */
export class LimitChanges {
  readonly #changed = new Map<string, Rule>()

  /** A rule as the code says it, or as it was changed. */
  of (rule: Rule): Rule {
    return this.#changed.size === 0 ? rule : this.#changed.get(rule.name) ?? rule
  }

  isChanged (name: string): boolean {
    return this.#changed.has(name)
  }

  /** @param rule - undefined: as the code says it. @returns whether it was another before */
  put (name: string, rule: Rule | undefined): boolean {
    if (textOf(this.#changed.get(name)) === textOf(rule)) return false
    if (rule === undefined) this.#changed.delete(name)
    else this.#changed.set(name, rule)
    return true
  }
}

/**
 * A rule after a change, checked like an option.
 * @throws FST_RSP_OPTION_INVALID, FST_RSP_RATELIMIT_LIMIT_INVALID
 */
export function changedRule (rule: Rule, change: LimitChange): Rule {
  const given = define(change)
  const { name, algorithm } = rule
  if (given.limit === undefined && given.per === undefined && given.burst === undefined) throw new FST_RSP_RATELIMIT_LIMIT_INVALID(name, "setLimit needs 'limit', 'per' or 'burst'")
  const options: LimitOptions = { name, algorithm, limit: given.limit ?? rule.limit }
  if (algorithm === 'concurrency') options.slotExpiryMs = rule.windowMs
  // Of concurrency it is refused.
  const per = given.per ?? (algorithm === 'concurrency' ? undefined : rule.windowMs)
  if (per !== undefined) options.per = per
  // A burst that is the limit itself goes with it.
  const burst = given.burst ?? (rule.capacity === rule.limit ? undefined : rule.capacity)
  if (burst !== undefined) options.burst = burst
  return resolveLimit(options, 'local').rule
}

/** As it is kept. */
export function textOf (rule: Rule | undefined): string | undefined {
  if (rule === undefined) return undefined
  const { algorithm, limit, windowMs, capacity } = rule
  return JSON.stringify({ limit, ...(algorithm !== 'concurrency' && { per: windowMs }), ...(algorithm === 'gcra' && { burst: capacity }) })
}
