import { FST_RSP_OPTION_INVALID } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { FST_RSP_RATELIMIT_LIMIT_INVALID, FST_RSP_RATELIMIT_ROUTE_INVALID } from '../errors.ts'
import { type Limit, type LimitOptions, type OnStoreError, refuseScope, resolveLimit } from '../limit.ts'
import type { Limits } from '../limits.ts'
import type { Meter, Meters } from '../meters.ts'
import { shownValue } from '../shown-value.ts'
import { type Counts, countsOn } from './scope.ts'

/** What a route may say: limits of its own or the names of some, or false for none at all. */
export type RouteRateLimit = false | LimitUse | readonly LimitUse[]

/** A limit, or the name of one. */
export type LimitUse = LimitOptions | string

/** A limit on a route. */
export interface RouteLimit {
  readonly limit: Limit
  readonly meter: Meter
  /** Whether it counts a request of the route; absent: each. */
  readonly counts: ((request: FastifyRequest) => boolean) | undefined
}

/** What is checked on a route, by when it can be. */
export interface RouteSet {
  readonly ip: readonly RouteLimit[]
  readonly user: readonly RouteLimit[]
  /** Those with a function of the request: a key, a tier or a cost. */
  readonly key: readonly RouteLimit[]
}

/** Where a route is. */
export interface RouteName { readonly method: string, readonly pattern: string }

/** A limit where it is used. */
interface Use { readonly limit: Limit, readonly counts: Counts }

const here = (limit: Limit): Use => ({ limit, counts: true })
const everywhere = (limit: Limit, pattern: string | undefined): Use => ({ limit, counts: limit.scope === undefined || countsOn(limit.scope, pattern) })
const kindOf = ({ by, costOf, limitFor }: Limit): keyof RouteSet => costOf === undefined && limitFor === undefined ? by : 'key'

const none: RouteSet = Object.freeze({ ip: [], user: [], key: [] })

/** Reads what routes say of their limits. */
export class RouteLimits {
  readonly #limits: Limits
  readonly #everywhere: readonly Limit[]
  readonly #onStoreError: OnStoreError
  readonly #meters: Meters

  constructor ({ limits, everywhere, onStoreError, meters }: { limits: Limits, everywhere: readonly Limit[], onStoreError: OnStoreError, meters: Meters }) {
    this.#limits = limits
    this.#everywhere = everywhere
    this.#onStoreError = onStoreError
    this.#meters = meters
  }

  /**
   * The limits of a route: those of every route, then its own.
   * @throws FST_RSP_RATELIMIT_ROUTE_INVALID, FST_RSP_RATELIMIT_NAME_TAKEN
   */
  of (config: unknown, { method, pattern }: RouteName): RouteSet {
    if (config === false) return none
    const own = config === undefined ? [] : this.#read(config, `${method} ${pattern}: config.rateLimit`)
    const route = pattern === '404' ? undefined : pattern
    return this.#set([...this.#everywhere.map(limit => everywhere(limit, route)), ...own.map(here)], route === undefined ? '404' : `${method} ${route}`)
  }

  /** These limits and no others. @throws as `of` */
  alone (uses: LimitUse | readonly LimitUse[], label: string): RouteSet {
    return this.#set(this.#read(uses, label).map(here), label)
  }

  #set (uses: readonly Use[], label: string): RouteSet {
    // One that is everywhere and here counts once.
    const all = [...new Map(uses.map(use => [use.limit.rule.name, use])).values()].filter(({ counts }) => counts !== false)
    const when = (kind: keyof RouteSet) => all.filter(({ limit }) => kindOf(limit) === kind)
      .map(({ limit, counts }) => ({ limit, meter: this.#meters.of(limit.rule.name, label), counts: counts === true ? undefined : counts as RouteLimit['counts'] }))
    return { ip: when('ip'), user: when('user'), key: when('key') }
  }

  /** @param where - for the error */
  #read (uses: unknown, where: string): Limit[] {
    return (Array.isArray(uses) ? uses : [uses]).map(use => this.#limitOf(use, where))
  }

  #limitOf (use: unknown, where: string): Limit {
    if (typeof use === 'string') {
      const known = this.#limits.find(use)
      if (known === undefined) throw new FST_RSP_RATELIMIT_ROUTE_INVALID(where, `is wrong: there is no limit '${use}'`)
      return known
    }
    if (typeof use !== 'object' || use === null) {
      throw new FST_RSP_RATELIMIT_ROUTE_INVALID(where, `must be false, a limit, the name of one, or a list of them, got ${shownValue(use)}`)
    }
    const limit = this.#resolved(use as LimitOptions, where)
    return this.#limits.add(limit)
  }

  #resolved (use: LimitOptions, where: string): Limit {
    try {
      const limit = resolveLimit(use, this.#onStoreError)
      refuseScope(limit)
      return limit
    } catch (error) {
      // Its path says nothing of the route.
      if (!(error instanceof FST_RSP_OPTION_INVALID) && !(error instanceof FST_RSP_RATELIMIT_LIMIT_INVALID)) throw error
      throw new FST_RSP_RATELIMIT_ROUTE_INVALID(where, `is wrong: ${error.message}`)
    }
  }
}
