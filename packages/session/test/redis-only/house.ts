import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { type RedisServer, startRedis, until } from '@respite/testing'
import type { RedisOptions } from '@respite/redis'
import type { SessionOptions } from '@respite/session'
import { makeApp } from '../app.ts'
import { addRoutes } from '../shop.ts'

/** A Redis server that holds all there is of sessions, and as many apps over it as wanted. */
export interface RedisHouse {
  readonly server: RedisServer
  /** To look at what is in Redis. */
  readonly client: Redis
  app (options?: SessionOptions, more?: { redis?: RedisOptions, server?: FastifyServerOptions, routes?: (app: FastifyInstance) => void }): Promise<FastifyInstance>
}

export const secrets = ['a test\'s secret of more than 32 characters']

export async function openRedisHouse (t: Test, ...args: string[]): Promise<RedisHouse> {
  const server = await startRedis(...args)
  const client = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 50 })
  client.on('error', () => undefined)
  const apps: FastifyInstance[] = []
  t.teardown(async () => {
    server.thaw()
    await Promise.all(apps.map(app => app.close()))
    client.disconnect()
    await server.stop()
  })
  return {
    server,
    client,
    async app (options = {}, more = {}) {
      const app = addRoutes(await makeApp({ secrets, durable: 'none', ...options }, { redis: { url: server.url, deadlineMs: '2s', ...more.redis }, server: more.server ?? {} }))
      more.routes?.(app)
      apps.push(app)
      await app.ready()
      await connected(app)
      return app
    }
  }
}

/** The boot does not wait for Redis; nor does a server that is back serve before its era is known. */
export async function connected (app: FastifyInstance): Promise<void> {
  await until('Redis', () => app.respite.link.state === 'up' && app.respite.link.eraOf('any') !== undefined)
}

/** Every key that does not expire. */
export async function everlasting (client: Redis): Promise<string[]> {
  const keys = await client.keys('*')
  const left = await Promise.all(keys.map(key => client.pttl(key)))
  return keys.filter((_, i) => left[i] === -1)
}
