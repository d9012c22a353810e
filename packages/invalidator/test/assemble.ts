import Fastify, { type FastifyInstance } from 'fastify'
import redis from '@respite/redis'
import cache, { type CachePluginOptions } from '@respite/cache'
import invalidator, { type InvalidatorOptions } from '@respite/invalidator'

/** Where an app keeps its entries; empty: embedded. */
export type Where = NonNullable<Parameters<typeof redis>[1]>

/** An app with the plugins, not yet ready. */
export async function assemble (where: Where = {}, options: InvalidatorOptions = {}, cacheOptions: CachePluginOptions = {}): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  // Time enough for a busy machine; tests of outages set their own.
  await app.register(redis, { deadlineMs: 2_000, ...where })
  // Before the cache: the order of registration does not matter.
  await app.register(invalidator, options)
  await app.register(cache, cacheOptions)
  return app
}
