import { inspect } from 'node:util'
import { type Duration, durationMs, type RouteInfo } from '@respite/redis'
import type { RouteOptions } from 'fastify'
import { FST_RSP_SESSION_ROUTE_INVALID } from '../errors.ts'

/** What a route asks of the session: `'required'` and `{ fresh }` refuse who is not logged in; false: nothing is read. */
export type RouteSession = 'required' | 'optional' | false | { fresh: Duration }

/** The same, understood. */
export interface RoutePlan {
  readonly required: boolean
  /** The log-in may be at most this old, ms. */
  readonly freshMs: number | undefined
}

const optional: RoutePlan = Object.freeze({ required: false, freshMs: undefined })
const required: RoutePlan = Object.freeze({ required: true, freshMs: undefined })

/**
 * @returns undefined where no session is read
 * @throws FST_RSP_SESSION_ROUTE_INVALID
 */
export function routePlan ({ config, method, pattern, notFound }: RouteInfo): RoutePlan | undefined {
  const wanted = config.session as RouteSession | undefined
  // Scans for what is not there cost nothing.
  if (wanted === false || notFound) return undefined
  if (wanted === undefined || wanted === 'optional') return optional
  if (wanted === 'required') return required
  if (typeof wanted === 'object' && wanted !== null && Object.keys(wanted).join() === 'fresh') {
    return { required: true, freshMs: durationMs(wanted.fresh, 'config.session.fresh') }
  }
  throw new FST_RSP_SESSION_ROUTE_INVALID(method, pattern, inspect(wanted, { depth: 1 }))
}

/**
 * Refuses a route's bad config when the route is added, not when it is asked for.
 * @throws FST_RSP_SESSION_ROUTE_INVALID
 */
export function checkRoute ({ method, url, config = {} }: Pick<RouteOptions, 'method' | 'url' | 'config'>): void {
  routePlan({ config: { ...config }, method: [method].flat().join(','), pattern: url, notFound: false })
}
