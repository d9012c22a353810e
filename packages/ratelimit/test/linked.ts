import redis, { createKeyspace, type Link, randomToken, type RedisOptions } from '@respite/redis'
import { until } from '@respite/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { RedisStore } from '../src/stores/redis.ts'

/** An app whose link is up. */
export async function connected (options: RedisOptions): Promise<FastifyInstance> {
  const app = Fastify()
  await app.register(redis, { deadlineMs: 5_000, ...options })
  await app.ready()
  await until('the link to be up', () => app.respite.link.state === 'up', 20_000)
  return app
}

/** Makes stores, each in a key space of its own. @param otherOf - of another client of the same server */
export function storesOver (linkOf: () => Link, otherOf = linkOf): () => { store: RedisStore, again: () => RedisStore } {
  return () => {
    const keyspace = createKeyspace(randomToken())
    return { store: new RedisStore(linkOf(), keyspace), again: () => new RedisStore(otherOf(), keyspace) }
  }
}
