import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import redis, { type RedisOptions } from '@respite/redis'
import session, { type SessionOptions } from '@respite/session'

interface Around {
  redis?: RedisOptions
  server?: FastifyServerOptions
  /** Registers what comes before everything else. */
  first?: (app: FastifyInstance) => unknown
}

/** An app with sessions; embedded unless a server is given. */
export async function makeApp (options: SessionOptions = {}, more: Around = {}): Promise<FastifyInstance> {
  const app: FastifyInstance = Fastify(more.server ?? {})
  await more.first?.(app)
  await app.register(redis, more.redis ?? { embedded: true })
  await app.register(session, options)
  return app
}
