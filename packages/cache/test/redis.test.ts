import type { FastifyInstance } from 'fastify'
import { createClient } from 'redis'
import t from 'tap'
import { randomToken } from '@respite/redis'
import { startRedis } from '@respite/testing'
import { Places, cacheShapes } from '../src/keys.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { type Where, assemble } from './assemble.ts'
import { cacheContract } from './contracts/cache.ts'
import { loadingContract } from './contracts/loading.ts'
import { manyContract } from './contracts/many.ts'
import { storeContract } from './contracts/store.ts'

const server = await startRedis()
t.teardown(() => server.stop())

const nodeRedis = (): Where => ({ client: createClient({ url: server.url }), closeClient: true }) as unknown as Where
const clients: [string, () => Where][] = [['ioredis', () => ({ url: server.url })], ['node-redis', nodeRedis]]

for (const [name, where] of clients) {
  const keyPrefix = `test-${name}`
  const apps: FastifyInstance[] = []
  for (let i = 0; i < 2; i++) {
    const app = await assemble({ ...where(), keyPrefix, boot: 'wait' } as Where)
    await app.ready()
    apps.push(app)
  }
  t.teardown(() => Promise.all(apps.map(app => app.close())))
  const [here, there] = apps as [FastifyInstance, FastifyInstance]
  storeContract(t, name, () => new RedisStore(here.respite.link, new Places(cacheShapes(here.respite.keyspace), randomToken())))
  cacheContract(t, name, () => ({ here, there }))
  manyContract(t, name, () => ({ here, there }))
  loadingContract(t, name, () => ({ here, there }))
}
