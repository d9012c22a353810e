import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import { type RedisServer, startRedis, until } from '@respite/testing'

export const secrets = ['a test\'s secret of more than 32 characters']

/** What a house of apps stands on. */
export interface Grounds {
  readonly server: RedisServer
  /** To look at what is in Redis. */
  readonly client: Redis
  /** Starts an app, and waits for its Redis; it is closed with the test. */
  settle<App extends FastifyInstance> (app: App): Promise<App>
}

/** A Redis server that ends with the test, after the apps over it. */
export async function openGrounds (t: Test, ...args: string[]): Promise<Grounds> {
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
    async settle (app) {
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
