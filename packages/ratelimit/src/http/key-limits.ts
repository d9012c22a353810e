import type { preHandlerHookHandler, RouteOptions } from 'fastify'
import type { Enforcer } from './enforcer.ts'
import { limitHook } from './limit-hook.ts'
import type { RouteLimit, RouteLimits } from './route-limits.ts'

// Fastify copies a route's config, symbols included; so this is what tells at a request that onRoute saw its route.
const seen = Symbol('respite.ratelimit.seen')

/**
 * Makes the onRoute hook: it checks what a route says of its limits, and puts a preHandler on it, after its own, if some
 * have key functions.
 */
export function limitRoutes (routes: RouteLimits, enforcer: Enforcer): (route: RouteOptions) => void {
  const ours = new WeakSet<object>()
  return route => {
    route.config = { ...route.config, [seen]: true } as typeof route.config
    const { key } = routes.of((route.config as { rateLimit?: unknown } | undefined)?.rateLimit, { method: [route.method].flat().join(','), pattern: route.url })
    if (key.length === 0) return
    const hooks = [route.preHandler ?? []].flat()
    // A HEAD made from its GET has what was put there.
    if (hooks.some(hook => ours.has(hook))) return
    const hook = limitHook({ ip: [], user: [], key }, enforcer)
    ours.add(hook)
    route.preHandler = [...hooks, hook]
  }
}

/**
 * Makes the preHandler for what no onRoute hook has seen: requests that no route answers, and routes that are older than
 * the plugin. Limits by address and user need none, they are the gate's.
 */
export function limitTheRest (key: readonly RouteLimit[], enforcer: Enforcer): preHandlerHookHandler {
  const check = limitHook({ ip: [], user: [], key }, enforcer)
  return function (request, reply, done) {
    const config = request.routeOptions.config as { [seen]?: true } | undefined
    // A handler that finds nothing may have handed the request on, after it was counted.
    if (config?.[seen] === true || enforcer.hasCounted(key, request)) done()
    else check.call(this, request, reply, done)
  }
}
