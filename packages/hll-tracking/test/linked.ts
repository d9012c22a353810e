import redis, { createKeyspace, randomToken, type RedisOptions } from '@respite/redis'
import { startRedis, until } from '@respite/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import tracking, { type TrackingOptions } from '../src/index.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { secret } from './assemble.ts'
import type { MakeStore } from './contracts/store.ts'

/** An app whose link is up, with what `fit` puts into it before it is ready; closed with the test. */
export async function connected (t: Test, options: RedisOptions, fit = async (_: FastifyInstance): Promise<unknown> => undefined): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, options)
  await fit(app)
  await app.ready()
  await until('the link to be up', () => app.respite.link.state === 'up')
  return app
}

/** The same, with tracking that flushes when it is asked. */
export function trackedOver (t: Test, options: RedisOptions, own: TrackingOptions = {}): Promise<FastifyInstance> {
  return connected(t, options, async app => await app.register(tracking, { key: secret, flushEveryMs: 60_000, ...own }))
}

/** A server and a client of it, which end with the test. */
export async function redisOf (t: Test) {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const client = new Redis(server.port)
  client.on('error', () => {}) // a test may end its server
  t.teardown(() => client.disconnect())
  return { server, client }
}

/** Stores in a key space of their own over an app's link. */
export function storesOver (app: FastifyInstance): MakeStore {
  return parts => new RedisStore(app.respite.link, { ...parts, keyspace: createKeyspace(randomToken()) })
}
