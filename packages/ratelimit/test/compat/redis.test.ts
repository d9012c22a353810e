import { type RedisServer, startRedis, until } from '@respite/testing'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import t, { type Test } from 'tap'
import compat from '../../src/compat/index.ts'
import { bareApp, served, statuses } from '../app.ts'
import { compatApp, compatContract, patient } from '../contracts/compat.ts'

async function serverOf (t: Test): Promise<RedisServer> {
  const server = await startRedis()
  t.teardown(() => server.stop())
  return server
}

function clientOf (t: Test, { port }: RedisServer): Redis {
  const client = new Redis(port)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

const shared = await startRedis()
t.teardown(() => shared.stop())

compatContract(t, async () => {
  const client = clientOf(t, shared)
  await client.flushall()
  return { clientOf: () => clientOf(t, shared), keys: () => client.keys('*') }
})

t.test('a client of @fastify/redis and one of node-redis are used', async t => {
  const server = await serverOf(t)
  const app = Fastify()
  t.teardown(() => app.close())
  app.decorate('redis', clientOf(t, server) as never)
  await app.register(compat, { ...patient, redis: app.redis, max: 1 })
  app.get('/', served)
  t.same(await statuses(app, 2, '/'), [200, 429])
  const client = createClient({ url: server.url })
  await client.connect()
  t.teardown(() => client.destroy())
  t.same(await statuses(await compatApp(t, { redis: client, max: 1, nameSpace: 'node-' }), 2, '/'), [200, 429])
})

t.test('the link of @respite/redis is used where it is', async t => {
  const server = await serverOf(t)
  const app = await bareApp(t, { redis: { url: server.url } })
  await app.register(compat, { ...patient, max: 1, nameSpace: 'mine-', redis: new Redis({ lazyConnect: true }) })
  app.get('/', served)
  t.same(await statuses(app, 2, '/'), [200, 429])
  t.match(await clientOf(t, server).keys('*'), [/:mine-$/])
})

t.test('a client beside a @respite/redis without a server is refused: it would count nothing', async t => {
  const app = await bareApp(t)
  await t.rejects(async () => { await app.register(compat, { redis: new Redis({ lazyConnect: true }) }) }, { code: 'FST_RSP_OPTION_INVALID', message: /'redis' cannot be used beside/ })
})

t.test('with Redis away the app boots, a request fails at once or is let pass, and Redis counts again when it is back', async t => {
  const server = await serverOf(t)
  await server.kill()
  const apps = await Promise.all([false, true].map(skipOnError => compatApp(t, { redis: clientOf(t, server), skipOnError, max: 1 })))
  t.match(await apps[0]!.inject('/'), { statusCode: 503, body: /FST_RSP_REDIS_/ })
  t.match(await apps[1]!.inject('/'), { statusCode: 200, headers: { 'x-ratelimit-limit': '1', 'x-ratelimit-remaining': '1', 'x-ratelimit-reset': '0' } })
  await server.restart()
  await until('Redis to be asked', async () => (await apps[1]!.inject('/')).statusCode === 429, 30_000)
  t.equal((await apps[0]!.inject('/')).statusCode, 429)
})
