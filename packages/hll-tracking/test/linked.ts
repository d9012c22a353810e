import redis, { createKeyspace, randomToken, type RedisOptions } from '@respite/redis'
import { until } from '@respite/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { RedisStore } from '../src/stores/redis.ts'
import type { MakeStore } from './contracts/store.ts'

/** An app whose link is up. */
export async function connected (options: RedisOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(redis, options)
  await app.ready()
  await until('the link to be up', () => app.respite.link.state === 'up')
  return app
}

/** Stores in a key space of their own over an app's link. */
export function storesOver (app: FastifyInstance): MakeStore {
  return parts => new RedisStore(app.respite.link, { ...parts, keyspace: createKeyspace(randomToken()) })
}
