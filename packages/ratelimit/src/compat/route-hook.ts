import { FST_RSP_OPTION_INVALID } from '@respite/redis'
import type { RouteOptions } from 'fastify'
import { FST_RSP_RATELIMIT_ROUTE_INVALID } from '../errors.ts'
import { shownValue } from '../shown-value.ts'
import { limitHook, type Ran } from './limit-hook.ts'
import type { CompatLimits } from './limits.ts'
import type { RateLimitOptions } from './options.ts'
import type { CompatLimit } from './standing.ts'

/**
 * Makes the onRoute hook: it puts a limit on each route that has one.
 * @param isGlobal - whether routes are limited that say nothing of it
 */
export function limitRoutes (limits: CompatLimits, { ran, isGlobal }: { ran: Ran, isGlobal: boolean }): (route: RouteOptions) => void {
  return route => {
    const limit = limitOf(route, limits, isGlobal)
    if (limit === undefined) return
    const { hook } = limit.settings
    // A list of its own: the app's may be on several routes.
    route[hook] = [...[route[hook] ?? []].flat(), limitHook(limit, ran)] as never
  }
}

/** @throws FST_RSP_RATELIMIT_ROUTE_INVALID */
function limitOf (route: RouteOptions, limits: CompatLimits, isGlobal: boolean): CompatLimit | undefined {
  const own: unknown = route.config?.rateLimit ?? undefined
  if (own === undefined) return isGlobal ? limits.everywhere : undefined
  if (own === false) return undefined
  const where = `${[route.method].flat().join(',')} ${route.url}: config.rateLimit`
  if (typeof own !== 'object' || Array.isArray(own)) throw new FST_RSP_RATELIMIT_ROUTE_INVALID(where, `must be false or an object, got ${shownValue(own)}`)
  try {
    return limits.ofRoute(own as RateLimitOptions, route)
  } catch (error) {
    // Its path says nothing of the route.
    if (!(error instanceof FST_RSP_OPTION_INVALID)) throw error
    throw new FST_RSP_RATELIMIT_ROUTE_INVALID(where, `is wrong: ${error.message}`)
  }
}
