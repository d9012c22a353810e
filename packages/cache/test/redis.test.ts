import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import t from 'tap'
import { randomToken } from '@respite/redis'
import { gate, startRedis, until } from '@respite/testing'
import { Places, cacheShapes } from '../src/keys.ts'
import { RedisStore } from '../src/stores/redis.ts'
import { type Where, assemble } from './assemble.ts'
import { cacheContract } from './contracts/cache.ts'
import { loadingContract } from './contracts/loading.ts'
import { manyContract } from './contracts/many.ts'
import { reportsContract } from './contracts/reports.ts'
import { storeContract } from './contracts/store.ts'
import { valuesContract } from './contracts/values.ts'
import { writingContract } from './contracts/writing.ts'

const server = await startRedis()
t.teardown(() => server.stop())

const nodeRedis = (): Where => ({ client: createClient({ url: server.url }), closeClient: true }) as unknown as Where
const clients: [string, () => Where][] = [['ioredis', () => ({ url: server.url })], ['node-redis', nodeRedis]]

t.test('every key that the cache writes has an expiry', async t => {
  const keyPrefix = 'expiry'
  const app = await assemble({ url: server.url, keyPrefix, boot: 'wait' })
  t.teardown(() => app.close())
  await app.ready()
  const { cache } = app
  await cache.set('set', 1, { tags: ['a'] })
  await cache.getOrSet('filled', ({ tag }) => { tag('b'); return 1 }, { tags: ['c'], ttl: '730d', swr: '365d' })
  await cache.writeThrough('written', () => 1)
  await cache.invalidateTags('a', 'new')
  await cache.namespace('cleared').clear()
  const hold = gate()
  const filling = cache.getOrSet('leased', () => hold.pass())
  await hold.reached
  const raw = new Redis(server.url)
  t.teardown(() => { raw.disconnect() })
  const kinds = new Set<string>()
  const beyond = Date.now() + 3 * 365 * 86_400_000
  const far = async (key: string) => await raw.pexpiretime(key) > beyond - 3_600_000
  for (const key of await raw.keys(`${keyPrefix}:*`)) {
    t.ok(await raw.pttl(key) > 0, key)
    kinds.add(key.slice(keyPrefix.length).split(':')[2]!)
  }
  t.strictSame([...kinds].sort(), ['clk', 'lease', 'ns', 'tag', 'val'])
  for (const name of ['ns:{cache}', 'tag:{cache:b}', 'tag:{cache:c}']) {
    await until(`${name} outlives its longest entry`, async () => far((await raw.keys(`${keyPrefix}:*${name}`))[0]!))
  }
  hold.open()
  await filling
})

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
  storeContract(t, name, () => new RedisStore(here.respite.link, new Places(cacheShapes(here.respite.keyspace), randomToken()), here.respite.clock))
  cacheContract(t, name, () => ({ here, there }))
  manyContract(t, name, () => ({ here, there }))
  loadingContract(t, name, () => ({ here, there }))
  writingContract(t, name, () => ({ here, there }))
  reportsContract(t, name, () => ({ here, there }))
  valuesContract(t, name, () => ({ here, there }))
}
