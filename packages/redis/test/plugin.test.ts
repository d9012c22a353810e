import t from 'tap'
import { freePort, startRedis, until } from '@respite/testing'
import fastifyRedis from '@fastify/redis'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { Registry } from 'prom-client'
import { createClient } from 'redis'
import { redis, type RedisOptions } from '../src/index.ts'

const server = await startRedis()
t.teardown(() => server.stop())

async function appWith (options?: RedisOptions, before?: (app: ReturnType<typeof Fastify>) => Promise<unknown>) {
  const app = Fastify()
  await before?.(app)
  t.teardown(() => app.close())
  await app.register(redis, options ?? {})
  await app.ready()
  return app
}

const up = (app: ReturnType<typeof Fastify>) => until('the link is up', () => app.respite.link.state === 'up')

t.test('refuses unknown options and impossible bounds by path and value, and never shows a url', async t => {
  const wrong: [object, RegExp][] = [
    [{ deadline: 5 }, /option 'deadline' is unknown, got 5/],
    [{ deadlineMs: -1 }, /option 'deadlineMs' .*got -1/],
    [{ breaker: { failures: 0 } }, /option 'breaker.failures' .*got 0/],
    [{ boot: 'later' }, /option 'boot' must be one of 'wait', 'degraded', got 'later'/],
    [{ client: 5 }, /option 'client' must be of type object, got 5/],
    [{ client: new Map() }, /option 'client' is no client of ioredis or node-redis: an object of class Map/],
    [{ url: 'http://me:s3cret@host' }, /option 'url' .*got a string of 21 characters/]
  ]
  for (const [options, message] of wrong) await t.rejects(appWith(options), { message })
})

t.test('without a url it is embedded, and fastify.redis is null', async t => {
  const app = await appWith()
  t.equal(app.redis, null)
  t.equal(app.respite.link.state, 'embedded')
  t.match(await app.respite.health.report(), { status: 'ok', redis: { state: 'embedded', latencyMs: null, server: null }, breaker: 'closed' })
  await t.rejects(app.respite.link.send('GET', 'a'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
})

t.test('in production embedded must be asked for', async t => {
  const before = process.env.NODE_ENV
  t.teardown(() => { if (before === undefined) delete process.env.NODE_ENV; else process.env.NODE_ENV = before })
  process.env.NODE_ENV = 'production'
  await t.rejects(appWith(), { code: 'FST_RSP_REDIS_EMBEDDED_IN_PRODUCTION' })
  t.equal((await appWith({ embedded: true })).respite.link.embedded, true)
})

t.test('by url: the app finds the client at fastify.redis, and it is closed with the app', async t => {
  const app = await appWith({ url: server.url })
  await up(app)
  t.equal(await app.redis.set('by-url', '1'), 'OK')
  t.equal(await app.respite.link.send('GET', 'by-url'), '1')
  t.match(await app.respite.health.report(), { status: 'ok', redis: { state: 'up', latencyMs: Number, server: /^redis|^valkey/ } })
  await app.close()
  t.equal(app.redis.status, 'end')
})

t.test('by options of ioredis', async t => {
  const app = await appWith({ redis: { host: '127.0.0.1', port: server.port, db: 3 } })
  await up(app)
  await app.respite.link.send('SET', 'in-db-3', '1')
  t.equal(await app.redis.get('in-db-3'), '1')
})

for (const boot of ['degraded', 'wait'] as const) {
  t.test(`namespaces, as with @fastify/redis (boot ${boot})`, async t => {
    const app = await appWith({ url: server.url, namespace: 'first', boot })
    await up(app)
    t.equal(await app.redis.first!.ping(), 'PONG')
    const same = { url: server.url, namespace: 'first' }
    await t.rejects(appWith(same, async app => { await app.register(redis, same) }), { code: 'FST_RSP_REDIS_TWICE' })
  })

  t.test(`boot ${boot}: without a namespace fastify.redis is the client`, async t => {
    const app = await appWith({ url: server.url, boot })
    t.equal(await app.redis.ping(), 'PONG')
    if (boot === 'wait') t.equal(app.respite.link.state, 'up')
    if (boot === 'wait') t.ok(app.hasPlugin('@fastify/redis'))
  })
}

t.test('twice in one context is an error; with a namespace the second is a client beside', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url, namespace: 'one' })
  await app.register(redis, { url: server.url, namespace: 'two' })
  await app.ready()
  t.equal(await app.redis.two!.ping(), 'PONG')
  await t.rejects(appWith({ embedded: true }, async app => { await app.register(redis, { embedded: true }) }), { code: 'FST_RSP_REDIS_TWICE' })
})

t.test('a given client is used as it is, and closed only if that is asked for', async t => {
  for (const closeClient of [false, true]) {
    const client = new Redis(server.url)
    t.teardown(() => client.disconnect())
    const app = await appWith({ client, closeClient })
    await up(app)
    t.equal(app.redis, client)
    await app.close()
    t.equal(client.status === 'end', closeClient)
  }
})

t.test('a given node-redis client is fastify.redis, also when it is not connected', async t => {
  const client = createClient({ url: server.url })
  const app = await appWith({ client })
  await up(app)
  t.equal(app.redis as unknown, client)
  t.equal(client.isOpen, false)
})

t.test('what @fastify/redis has left is taken, and a url goes before it', async t => {
  const app = await appWith({}, async app => { await app.register(fastifyRedis, { url: server.url }) })
  await up(app)
  t.equal(app.respite.link.embedded, false)
  await t.rejects(appWith({}, async app => { await app.register(fastifyRedis, { url: server.url, namespace: 'x' }) }), { code: 'FST_RSP_REDIS_CLIENT_UNKNOWN' })
})

t.test('boot wait refuses to start without Redis, and says why', async t => {
  const port = await freePort()
  const app = Fastify({ pluginTimeout: 20_000 })
  t.teardown(() => app.close())
  await t.rejects(async () => { await app.register(redis, { url: `redis://127.0.0.1:${port}`, boot: 'wait' }) }, { code: 'FST_RSP_REDIS_BOOT', message: /ECONNREFUSED/ })
})

t.test('metrics appear in a Registry of prom-client', async t => {
  const registry = new Registry()
  const app = await appWith({ url: server.url, metrics: { registry } })
  await up(app)
  await app.respite.link.send('PING')
  const text = await registry.metrics()
  t.match(text, /redis_command_duration_seconds_count\{command="PING"\} 1/)
  t.match(text, /redis_up 1/)
  t.match(text, /redis_breaker_state 0/)
})
