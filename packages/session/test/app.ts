import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import redis, { type RedisOptions } from '@respite/redis'
import session, { type SessionOptions } from '@respite/session'

/** An app with sessions; embedded unless a server is given. */
export async function makeApp (options: SessionOptions = {}, more: { redis?: RedisOptions, server?: FastifyServerOptions } = {}): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify(more.server ?? {})
  await app.register(redis, more.redis ?? { embedded: true })
  await app.register(session, options)
  return app
}
