import type { FastifyBaseLogger, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { inspect } from 'node:util'
import { FST_RSP_TRACKING_ROUTE_INVALID } from './errors.ts'
import { checkMetric } from './metric-name.ts'
import type { Who } from './options.ts'
import type { Tracking } from './tracking.ts'

/** What a route's `config.track` may be: the name of a metric, or also who calls it. */
export type TrackConfig = string | { metric: string, who?: Who }

interface Plan {
  readonly metric: string
  readonly who: Who
  /** A who function that fails does so at every request: it is said once. */
  said: boolean
}

/**
 * Makes the onRoute hook: it puts a hook of its own on each route that is tracked, and nothing on the others.
 * @param who - of routes that have none of their own
 */
export function trackRoutes (tracking: Tracking, who: Who, log: FastifyBaseLogger): (route: RouteOptions) => void {
  return route => {
    const config = (route.config as { track?: unknown } | undefined)?.track
    if (config === undefined || config === false) return
    const plan = planOf(config, who, route)
    tracking.declare(plan.metric)
    // Of a request that was refused or failed nobody is counted.
    const count = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      if (reply.statusCode < 400) tracking.observe(plan.metric, caller(plan, request, log))
      done()
    }
    route.onResponse = [route.onResponse ?? [], count].flat() as NonNullable<RouteOptions['onResponse']>
  }
}

function caller (plan: Plan, request: FastifyRequest, log: FastifyBaseLogger): string | number | null | undefined {
  try {
    return plan.who(request)
  } catch (error) {
    // The answer was given: it cannot fail any more. The error's message may hold an id, so its name must do.
    if (!plan.said) log.warn({ metric: plan.metric, error: (error as Error | null)?.name }, 'who failed: such requests are not counted')
    plan.said = true
    return undefined
  }
}

function planOf (config: unknown, who: Who, route: RouteOptions): Plan {
  if (typeof config === 'string') return { metric: checkMetric(config), who, said: false }
  const own = config as { metric?: unknown, who?: unknown } | null
  if (typeof own !== 'object' || own === null || (own.who !== undefined && typeof own.who !== 'function')) {
    throw new FST_RSP_TRACKING_ROUTE_INVALID(String(route.method), route.url, inspect(config, { depth: 1, maxStringLength: 40, breakLength: Infinity }))
  }
  return { metric: checkMetric(own.metric), who: own.who as Who | undefined ?? who, said: false }
}
