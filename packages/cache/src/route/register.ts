import type { FastifyInstance, RouteOptions } from 'fastify'
import type { Cache } from '../cache.ts'
import { FST_RSP_CACHE_ROUTE_METHOD } from '../errors.ts'
import type { Namespace } from '../namespace.ts'
import type { Capture } from './capture.ts'
import { resolveRouteOptions } from './options.ts'
import { ReadyAnswers } from './ready-answer.ts'
import { RouteCache, captureOf } from './route-cache.ts'
import { UnsafeRequests } from './unsafe.ts'

/**
 * Lets `config.cache` of the routes that are added from now on work.
 * @param cache - where answers are stored; `space` is what it stands for
 */
export function cacheRoutes (fastify: FastifyInstance, cache: Cache, { space, maxBytes }: { space: Namespace, maxBytes: number }): void {
  const { respite } = fastify
  const log = respite.logger('cache')
  const unsafe = new UnsafeRequests(cache)
  const routes = new RouteCache({
    cache,
    ready: new ReadyAnswers(space),
    maxBytes,
    leaseMs: space.leaseMs,
    nowMs: () => respite.clock.wallMs(),
    identity: () => respite.find('identity'),
    onHidden: (what, error) => log.debug({ err: error }, `cache: ${what} of a route failed`)
  })
  respite.requests.claim('cache', '@respite/cache', fastify)
  fastify.decorateReply(captureOf, null)
  fastify.addHook('onRoute', (route: RouteOptions) => {
    const given = route.config?.cache
    if (given === undefined || given === false) return
    if ([route.method].flat().some(method => method !== 'GET' && method !== 'HEAD')) throw new FST_RSP_CACHE_ROUTE_METHOD(String(route.method), route.url)
    const options = resolveRouteOptions(given === true ? {} : given)
    if (options.unsafe !== 'never') unsafe.watch(route.url, options.unsafe)
    route.handler = routes.wrap(route, options)
  })
  fastify.addHook('onSend', (request, reply, payload, done) => {
    const capture = (reply as unknown as { [captureOf]: Capture | null })[captureOf]
    if (capture !== null) done(null, capture.seen(reply, payload))
    else if (unsafe.concerns(request)) unsafe.answered(request, reply).then(() => done(), done)
    else done()
  })
  // A handler that answered behind Fastify's back.
  fastify.addHook('onResponse', (request, reply, done) => {
    if (unsafe.concerns(request)) unsafe.answered(request, reply).then(() => done(), done)
    else done()
  })
}
