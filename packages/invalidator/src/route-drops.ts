import { inspect } from 'node:util'
import type { FastifyReply, FastifyRequest, RouteOptions } from 'fastify'
import { FST_RSP_INVALIDATOR_ROUTE_INVALID, FST_RSP_INVALIDATOR_ROUTE_METHOD } from './errors.ts'
import type { Invalidator } from './invalidator.ts'
import type { What } from './what.ts'

/** `config.invalidates` of a route: what its success ends; undefined: nothing. */
export type RouteDrops = (request: FastifyRequest, reply: FastifyReply) => What | undefined | Promise<What | undefined>

const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Drops what a route names after it has answered 2xx, before the answer leaves: so the client's next read sees the change.
 * @returns an onRoute hook; it throws FST_RSP_INVALIDATOR_ROUTE_METHOD, FST_RSP_INVALIDATOR_ROUTE_INVALID
 */
export function dropsAfterRoutes (invalidator: Invalidator): (route: RouteOptions) => void {
  const known = new WeakSet<RouteDrops>()
  return route => {
    const drops = route.config?.invalidates
    if (drops === undefined) return
    if (typeof drops !== 'function') throw new FST_RSP_INVALIDATOR_ROUTE_INVALID(String(route.method), route.url, inspect(drops, { depth: 0, maxStringLength: 100 }))
    // The HEAD that Fastify makes from a route of GET and POST has its config, and changes nothing.
    if (route.method === 'HEAD' && known.has(drops)) return
    if ([route.method].flat().every(method => safe.has(method))) throw new FST_RSP_INVALIDATOR_ROUTE_METHOD(String(route.method), route.url)
    known.add(drops)
    const drop = dropOnceOf(drops, invalidator)
    route.onSend = [...[route.onSend ?? []].flat(), async (request, reply) => drop(request, reply)]
    // A handler that answered behind Fastify's back.
    route.onResponse = [...[route.onResponse ?? []].flat(), async (request, reply) => drop(request, reply)]
  }
}

function dropOnceOf (drops: RouteDrops, invalidator: Invalidator) {
  const done = new WeakSet<FastifyRequest>()
  return async (request: FastifyRequest, reply: FastifyReply): Promise<void> => {
    if (done.has(request) || safe.has(request.method) || reply.statusCode < 200 || reply.statusCode > 299) return
    done.add(request)
    try {
      const what = await drops(request, reply)
      if (what !== undefined) await invalidator.dropFor(what)
    } catch (error) {
      // The change is made: a client must not be told otherwise.
      request.log.error({ err: error }, 'the cache could not be told of a change')
    }
  }
}
