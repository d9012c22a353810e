import type { FastifyPluginAsync } from 'fastify'
import fastifyPlugin from 'fastify-plugin'
import { Invalidator } from './invalidator.ts'
import { type InvalidatorOptions, resolveOptions } from './options.ts'
import { type RouteDrops, dropsAfterRoutes } from './route-drops.ts'
import { versionsOf } from './versions.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Says what leaves the cache after a write. */
    invalidator: Invalidator
  }
  interface FastifyContextConfig {
    /** What a 2xx of this route ends in the cache. */
    invalidates?: RouteDrops
  }
}

/** Registers the invalidator; after @respite/redis. A cache must be registered too, before or after. */
export const invalidator: FastifyPluginAsync<InvalidatorOptions> = async (fastify, given) => {
  const options = resolveOptions(given)
  const { respite } = fastify
  const { bus, clock, metrics, link, keyspace } = respite
  const instance = new Invalidator({
    invalidation: () => respite.use('invalidation'),
    bus,
    clock,
    metrics,
    log: respite.logger('invalidator'),
    versions: versionsOf({ link, keyspace, clock, versionMs: options.versionTtl }),
    options
  })
  fastify.decorate('invalidator', instance)
  respite.requests.claim('invalidates', '@respite/invalidator', fastify)
  fastify.addHook('onRoute', dropsAfterRoutes(instance))
  let unsubscribe: (() => void) | undefined
  fastify.addHook('onReady', async () => {
    // Says at boot that a cache is missing, not at the first write.
    respite.use('invalidation')
    unsubscribe = await bus.subscribe(options.topic, value => instance.heard(value), { onGap: () => instance.missed() })
    await instance.ready()
  })
  fastify.addHook('preClose', async () => instance.close())
  fastify.addHook('onClose', async () => unsubscribe?.())
}

export default fastifyPlugin(invalidator, { fastify: '5.x', name: '@respite/invalidator', decorators: { fastify: ['respite'] } })
