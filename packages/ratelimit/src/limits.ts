import { durationText } from './duration-text.ts'
import { FST_RSP_RATELIMIT_NAME_TAKEN } from './errors.ts'
import type { Limit } from './limit.ts'

/** The limits of an app by their names. */
export class Limits {
  readonly #byName = new Map<string, Limit>()

  /** @throws FST_RSP_RATELIMIT_NAME_TAKEN when the name stands for another count */
  add (limit: Limit): Limit {
    const { name } = limit.rule
    const known = this.#byName.get(name)
    if (known === undefined) this.#byName.set(name, limit)
    else if (describe(known) !== describe(limit)) throw new FST_RSP_RATELIMIT_NAME_TAKEN(name, describe(known), describe(limit))
    return limit
  }

  find (name: string): Limit | undefined {
    return this.#byName.get(name)
  }

  all (): Limit[] {
    return [...this.#byName.values()]
  }
}

const describe = ({ rule: { limit, windowMs, algorithm, capacity }, by }: Limit) => algorithm === 'concurrency'
  ? `${limit} at once (slots expire after ${durationText(windowMs)}, by ${by})`
  : `${limit} per ${durationText(windowMs)} (${algorithm}${algorithm === 'gcra' ? `, burst ${capacity}` : ''}, by ${by})`
