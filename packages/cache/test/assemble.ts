import Fastify, { type FastifyInstance } from 'fastify'
import redis from '@respite/redis'
import cache, { type CachePluginOptions } from '@respite/cache'

/** Where an app keeps its entries; empty: embedded. */
export type Where = NonNullable<Parameters<typeof redis>[1]>

/** Values as they are not by default, and hashed keys. */
export const coded: CachePluginOptions = {
  codec: 'msgpack', compression: { algorithm: 'brotli', thresholdBytes: 0 }, hashKeys: true, keySecret: 'a secret of the tests, of 32 characters or more'
}

/** An app with the two plugins. */
export async function assemble (where: Where, options: CachePluginOptions = {}): Promise<FastifyInstance> {
  const app = Fastify({ forceCloseConnections: true })
  try {
    // Time enough for a busy machine; tests of outages set their own.
    await app.register(redis, { deadlineMs: 2_000, ...where })
    await app.register(cache, options)
    return app
  } catch (error) {
    await app.close()
    throw error
  }
}
