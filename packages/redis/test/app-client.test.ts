import t from 'tap'
import { until } from '@respite/testing'
import fastifyRedis from '@fastify/redis'
import Fastify, { type FastifyInstance } from 'fastify'
import RedisMock from 'ioredis-mock'
import { createSentinel } from 'redis'
import { redis, type RedisOptions } from '../src/index.ts'
import { mockedAddress } from './mocked-adapter.ts'

type Client = NonNullable<RedisOptions['client']> & RedisMock

/** A mock that is told for a client of ioredis, by the signs that it lacks. */
function mockedClient (): Client {
  const client = Object.assign(new RedisMock(mockedAddress()), { status: 'ready', sendCommand: () => { throw new Error('a mock sends nothing') } })
  client.on('end', () => { client.status = 'end' })
  return client as never
}

async function appWith (options: RedisOptions, before?: (app: FastifyInstance) => Promise<unknown>) {
  const app = Fastify()
  t.teardown(() => app.close())
  await before?.(app)
  await app.register(redis, options)
  await app.ready()
  return app
}

const ended = (client: object) => (client as { status: string }).status === 'end'
const decorated = (client: object | null) => async (app: FastifyInstance) => { app.decorate('redis', client as never) }
const named = (clients: Record<string, object>) => Object.assign(Object.create(null) as object, clients)

t.test('a client that cannot serve the link is fastify.redis all the same, and the app is ready and says why', async t => {
  const client = mockedClient()
  const app = await appWith({ client })
  t.equal(app.redis as unknown, client)
  await app.redis.set('a', 'b')
  t.equal(await client.get('a'), 'b')
  await until('the reason', () => app.respite.link.reason === `mock:${app.redis.options.port} does not answer`)
  t.equal(app.respite.link.state, 'degraded')
  t.match(await app.respite.health.report(), { status: 'degraded', redis: { state: 'degraded', latencyMs: null, server: null } })
  await t.rejects(app.respite.link.send('GET', 'a'), { code: 'FST_RSP_REDIS_DOWN', outcome: 'not-sent' })
})

for (const namespace of [undefined, 'shop']) {
  const where = namespace === undefined ? 'fastify.redis' : `fastify.redis.${namespace}`
  const at = (app: FastifyInstance) => namespace === undefined ? app.redis as object : app.redis[namespace] as object
  const options = namespace === undefined ? {} : { namespace }

  for (const closeClient of [false, true]) {
    t.test(`a given client is ${where}, and ${closeClient ? 'closed with the app, as was asked' : 'left open when the app closes'}`, async t => {
      const client = mockedClient()
      const app = await appWith({ client, closeClient, ...options })
      t.equal(at(app), client)
      await app.close()
      t.equal(ended(client), closeClient)
    })

    t.test(`what is ${where} already is taken, and ${closeClient ? 'closed if that is asked for' : 'left open'}`, async t => {
      const client = mockedClient()
      const app = await appWith({ closeClient, ...options }, async app => { await app.register(fastifyRedis, { client: client as never, ...options }) })
      t.equal(at(app), client)
      t.equal(app.respite.link.embedded, false)
      await app.close()
      t.equal(ended(client), closeClient)
    })
  }

  t.test(`where ${where} is another's already, a given client is refused, and let go`, async t => {
    const [first, kept, owned] = [mockedClient(), mockedClient(), mockedClient()]
    const before = decorated(namespace === undefined ? first : named({ [namespace]: first }))
    await t.rejects(appWith({ client: kept, ...options }, before), { code: 'FST_RSP_REDIS_TWICE' })
    await t.rejects(appWith({ client: owned, closeClient: true, ...options }, before), { code: 'FST_RSP_REDIS_TWICE' })
    t.same([first, kept, owned].map(ended), [false, false, true])
  })
}

t.test('whatever is no client is refused by its class, wherever it lies', async t => {
  class Cache { duplicate () {} disconnect () {} }
  const foreign: [object, RegExp][] = [
    [new Cache(), /an object of class Cache/],
    [new RedisMock(), /an object of class/],
    [{ status: 'ready', disconnect () {} }, /an object of class Object/],
    [Object.assign(new Cache(), { sendCommand () {} }), /an object of class Cache/],
    [createSentinel({ name: 'main', sentinelRootNodes: [], replicaPoolSize: 1 }), /an object of class/]
  ]
  for (const [client, message] of foreign) {
    await t.rejects(appWith({ client: client as never }), { code: 'FST_RSP_REDIS_CLIENT_UNKNOWN', message })
    await t.rejects(appWith({}, decorated(client)), { code: 'FST_RSP_REDIS_CLIENT_UNKNOWN', message })
    await t.rejects(appWith({ namespace: 'x' }, decorated(named({ x: client }))), { code: 'FST_RSP_REDIS_CLIENT_UNKNOWN', message })
  }
})

t.test('clients by name: one must be named, and a name that nobody has leaves the app without a server', async t => {
  const before = decorated(named({ shop: mockedClient() }))
  await t.rejects(appWith({}, before), { code: 'FST_RSP_REDIS_CLIENT_UNKNOWN', message: /must be named by the option namespace/ })
  t.equal((await appWith({ namespace: 'shop' }, before)).respite.link.embedded, false)
  t.equal((await appWith({ namespace: 'forum' }, before)).respite.link.embedded, true)
})

t.test('embedded, what is at fastify.redis is not looked at', async t => {
  const client = new Map()
  const app = await appWith({ embedded: true }, decorated(client))
  t.equal(app.redis as unknown, client)
  t.equal(app.respite.link.embedded, true)
})

t.test('a second registration puts its client beside, under its name only, and closes its own only', async t => {
  const [first, second] = [mockedClient(), mockedClient()]
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { client: first, namespace: 'one' })
  await app.register(redis, { client: second, namespace: 'two', closeClient: true })
  await app.ready()
  t.same(Object.keys(app.redis), ['one', 'two'])
  t.equal(app.redis.two as unknown, second)
  await app.close()
  t.same([first, second].map(ended), [false, true])
})

for (const namespace of [undefined, 'one']) {
  t.test(`twice ${namespace === undefined ? 'without a name' : 'by one name'} is refused, and the first goes on`, async t => {
    const [first, second] = [mockedClient(), mockedClient()]
    const app = Fastify()
    t.teardown(() => app.close())
    await app.register(redis, { client: first, namespace: 'one' })
    const { link } = app.respite
    await t.rejects(async () => { await app.register(redis, namespace === undefined ? { client: second } : { client: second, namespace }) }, { code: 'FST_RSP_REDIS_TWICE' })
    t.equal(app.respite.link, link)
    t.equal(app.redis.one as unknown, first)
    t.equal(ended(second), false)
  })
}
