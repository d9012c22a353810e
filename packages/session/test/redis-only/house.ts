import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import type { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { RedisServer } from '@respite/testing'
import type { RedisOptions } from '@respite/redis'
import type { SessionOptions } from '@respite/session'
import { makeApp } from '../app.ts'
import { openGrounds, secrets } from '../grounds.ts'
import { addRoutes } from '../shop.ts'

/** A Redis server that holds all there is of sessions, and as many apps over it as wanted. */
export interface RedisHouse {
  readonly server: RedisServer
  /** To look at what is in Redis. */
  readonly client: Redis
  app (options?: SessionOptions, more?: { redis?: RedisOptions, server?: FastifyServerOptions, routes?: (app: FastifyInstance) => void }): Promise<FastifyInstance>
}

export async function openRedisHouse (t: Test, ...args: string[]): Promise<RedisHouse> {
  const { server, client, settle } = await openGrounds(t, ...args)
  return {
    server,
    client,
    async app (options = {}, more = {}) {
      const app = addRoutes(await makeApp({ secrets, durable: 'none', ...options }, { redis: { url: server.url, deadlineMs: '2s', ...more.redis }, server: more.server ?? {} }))
      more.routes?.(app)
      return await settle(app)
    }
  }
}

/** Every key that does not expire. */
export async function everlasting (client: Redis): Promise<string[]> {
  const keys = await client.keys('*')
  const left = await Promise.all(keys.map(key => client.pttl(key)))
  return keys.filter((_, i) => left[i] === -1)
}
