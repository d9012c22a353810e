import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import type { Respite } from '@respite/redis'
import fastifyPlugin from 'fastify-plugin'
import type { Cache } from './cache.ts'
import { DropQueue } from './drop-queue.ts'
import { CacheEvents } from './events.ts'
import { invalidationOf } from './invalidation.ts'
import { cacheShapes } from './keys.ts'
import { Meters, metrics } from './metrics.ts'
import { Namespaces } from './namespaces.ts'
import { type CachePluginOptions, type ResolvedOptions, resolveOptions } from './options.ts'
import type { RouteCacheOptions } from './route/options.ts'
import { cacheRoutes } from './route/register.ts'
import { Waiting } from './waiting.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** The cache's root namespace. */
    cache: Cache
  }
  interface FastifyContextConfig {
    /** Caches the answers of this route; `true`: those that say themselves for how long. */
    cache?: RouteCacheOptions | boolean
  }
}

/** Registers the cache; after @respite/redis. */
export const cache: FastifyPluginAsync<CachePluginOptions> = async (fastify, given) => {
  const options = resolveOptions(given)
  const { respite } = fastify
  const queue = new DropQueue({ maxQueued: options.maxQueued, hold: held => respite.invalidations.hold('cache', held) })
  const all = new Namespaces(surroundingsOf(respite, options, queue))
  follow(fastify, all, queue)
  report(respite, all)
  respite.provide('invalidation', invalidationOf(all))
  fastify.decorate('cache', all.root)
  const answers = all.root.namespace('http')
  cacheRoutes(fastify, answers, { space: all.find(answers.name)!, maxBytes: options.maxResponseBytes })
}

function surroundingsOf (respite: Respite, options: Readonly<ResolvedOptions>, queue: DropQueue) {
  const { link, invalidations, clock, chance } = respite
  const log = respite.logger('cache')
  const onHidden = (what: string, error: unknown) => log.debug({ err: error }, `cache: ${what} failed`)
  return {
    link,
    invalidations,
    clock,
    chance,
    options,
    queue,
    shapes: cacheShapes(respite.keyspace),
    waiting: new Waiting(),
    meters: (label: string) => new Meters(respite.metrics, label),
    events: new CacheEvents(onHidden),
    onHidden
  }
}

/** Local copies end with the server's word; what was queued is drained when Redis is back. */
function follow (fastify: FastifyInstance, all: Namespaces, queue: DropQueue): void {
  const { link, invalidations, keyspace } = fastify.respite
  const { val, tag, ns } = cacheShapes(keyspace)
  const unfollow = invalidations.follow([val.prefix, tag.prefix, ns.prefix], {
    changed: keys => all.changed(keys),
    all: () => all.forgetLocal()
  })
  const unlisten = link.on('state', state => {
    // Drain catches what fails.
    if (state === 'up') queue.drain().catch(() => undefined)
  })
  fastify.addHook('preClose', () => queue.close())
  fastify.addHook('onClose', async () => {
    unlisten()
    unfollow()
  })
}

function report (respite: Respite, all: Namespaces): void {
  respite.metrics.gauge({ ...metrics.entries, collect: gauge => gauge.of().set(all.stats().entries) })
  respite.metrics.gauge({ ...metrics.bytes, collect: gauge => gauge.of().set(all.stats().bytes) })
  respite.metrics.gauge({ ...metrics.queued, collect: gauge => gauge.of().set(all.stats().queued) })
  respite.health.add('cache', () => {
    const { entries, queued, local } = all.stats()
    return { status: queued > 0 ? 'degraded' : 'ok', entries, queued, local }
  })
}

export default fastifyPlugin(cache, { fastify: '5.x', name: '@respite/cache', decorators: { fastify: ['respite'] } })
