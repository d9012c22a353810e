import { isPromiseLike } from '@respite/redis'
import type { FastifyBaseLogger, FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { inspect } from 'node:util'
import { FST_RSP_TRACKING_ROUTE_INVALID } from './errors.ts'
import { checkMetric } from './metric-name.ts'
import type { Caller, Who } from './options.ts'
import type { Tracking } from './tracking.ts'

/** What a route's `config.track` may be: the name of a metric, or also who calls it. */
export type TrackConfig = string | { metric: string, who?: Who }

interface Plan {
  readonly metric: string
  readonly who: Who
}

// Requests of a route whose who function has promised an answer and not given it: each holds its request in memory.
const maxAwaited = 1_000

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
    const observe = observerOf(plan, tracking, log)
    // Of a request that was refused or failed nobody is counted.
    const count = (request: FastifyRequest, reply: FastifyReply, done: () => void) => {
      if (reply.statusCode < 400) observe(request)
      done()
    }
    route.onResponse = [route.onResponse ?? [], count].flat() as NonNullable<RouteOptions['onResponse']>
  }
}

function observerOf ({ metric, who }: Plan, tracking: Tracking, log: FastifyBaseLogger): (request: FastifyRequest) => void {
  let said = false
  // Of this route alone: where one never hears of its callers, the others count on.
  let awaited = 0
  // The answer was given: it cannot fail any more. The error's message may hold an id, so its name must do; a who function that
  // fails does so at every request, so once must do as well.
  const failed = (error: unknown) => {
    if (!said) log.warn({ metric, error: (error as Error | null)?.name }, 'who failed: such requests are not counted')
    said = true
    tracking.observe(metric, undefined)
  }
  const follow = async (caller: PromiseLike<Caller>) => {
    awaited++
    try {
      tracking.observe(metric, await caller)
    } catch (error) {
      failed(error)
    } finally {
      awaited--
    }
  }
  // It may fail all the same, later, when nobody listens.
  const refuse = (caller: PromiseLike<Caller>) => {
    caller.then(undefined, () => {})
    failed(new RangeError(`${maxAwaited} are awaited`))
  }
  return request => {
    try {
      const caller = who(request)
      if (!isPromiseLike(caller)) tracking.observe(metric, caller)
      else if (awaited < maxAwaited) follow(caller)
      else refuse(caller)
    } catch (error) {
      failed(error)
    }
  }
}

function planOf (config: unknown, who: Who, route: RouteOptions): Plan {
  if (typeof config === 'string') return { metric: checkMetric(config), who }
  const own = config as { metric?: unknown, who?: unknown } | null
  if (typeof own !== 'object' || own === null || (own.who !== undefined && typeof own.who !== 'function')) {
    throw new FST_RSP_TRACKING_ROUTE_INVALID(String(route.method), route.url, inspect(config, { depth: 1, maxStringLength: 40, breakLength: Infinity }))
  }
  return { metric: checkMetric(own.metric), who: own.who as Who | undefined ?? who }
}
