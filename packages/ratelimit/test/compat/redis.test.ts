import { type RedisServer, startRedis, until } from '@respite/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import { createRequire } from 'node:module'
import { createClient } from 'redis'
import t, { type Test } from 'tap'
import compat, { type RateLimitPluginOptions } from '../../src/compat/index.ts'
import { bareApp, served, statuses } from '../app.ts'
import { answerOf, our, theirs } from './both.ts'

// A busy machine is no outage.
const patient = { timeoutMs: 5_000 } as const

async function serverOf (t: Test): Promise<RedisServer> {
  const server = await startRedis()
  t.teardown(() => server.stop())
  return server
}

async function compatApp (t: Test, options: RateLimitPluginOptions, routes: (app: FastifyInstance) => void = app => { app.get('/', served) }): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(compat, { ...patient, ...options })
  routes(app)
  await app.ready()
  return app
}

function clientOf (t: Test, { port }: RedisServer): Redis {
  const client = new Redis(port)
  client.on('error', () => {})
  t.teardown(() => client.disconnect())
  return client
}

t.test('a client of option redis is used, shared by processes, and left as it was', async t => {
  const server = await serverOf(t)
  const client = clientOf(t, server)
  const [one, two] = [await compatApp(t, { redis: client, max: 3 }), await compatApp(t, { redis: clientOf(t, server), max: 3 })]
  t.same([...await statuses(one, 2, '/'), ...await statuses(two, 2, '/')], [200, 200, 200, 429])
  t.notOk(one.hasDecorator('respite'), 'the app gets no link that it did not ask for')
  t.notOk(one.hasDecorator('redis'))
  const keys = await client.keys('*')
  t.equal(keys.length, 1)
  t.match(keys[0], /^respite:v1:hits:\{[\w-]{22}\}:fastify-rate-limit-$/)
  const leftMs = await client.pttl(keys[0]!)
  t.ok(leftMs > 0 && leftMs <= 60_000)
  await one.close()
  t.equal(await client.ping(), 'PONG')
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

t.test('routes, groups, checks by hand and registrations have counts of their own, in every process the same', async t => {
  const server = await serverOf(t)
  const routes = (app: FastifyInstance) => {
    const own = (groupId?: string) => ({ config: { rateLimit: { max: 1, ...(groupId === undefined ? {} : { groupId }) } } })
    app.get('/', served)
    app.get('/a b', own(), served)
    app.get('/group', own('g'), served)
    app.get('/same-group', own('g'), served)
    const [first, second] = [app.createRateLimit({ max: 1 }), app.createRateLimit({ max: 1 })]
    app.get('/first', { config: { rateLimit: false } }, async (request, reply) => reply.code(Object(await first(request)).isExceeded ? 429 : 200).send())
    app.get('/second', { config: { rateLimit: false } }, async (request, reply) => reply.code(Object(await second(request)).isExceeded ? 429 : 200).send())
    app.register(async child => {
      await child.register(compat, { ...patient, redis: clientOf(t, server), max: 1 })
      child.get('/', { config: { rateLimit: false } }, served)
      child.get('/inner', served)
    }, { prefix: '/child' })
  }
  const [one, two] = [await compatApp(t, { redis: clientOf(t, server), max: 5 }, routes), await compatApp(t, { redis: clientOf(t, server), max: 5 }, routes)]
  for (const url of ['/a%20b', '/group', '/first', '/second', '/child/inner']) {
    t.same([...await statuses(one, 1, url), ...await statuses(two, 1, url)], [200, 429], url)
  }
  t.same(await statuses(one, 1, '/same-group'), [429])
  t.same(await statuses(two, 3, '/'), [200, 200, 200])
})

t.test('answers as @fastify/rate-limit does over Redis', async t => {
  const server = await serverOf(t)
  for (const options of [{}, { ban: 0 }, { continueExceeding: true }, { exponentialBackoff: true }]) {
    const [found, expected] = await Promise.all([our, theirs].map(async module => {
      const app = Fastify()
      t.teardown(() => app.close())
      // Hours, so that no second matters.
      await app.register(module.rateLimit, { ...(module === our ? patient : {}), max: 2, timeWindow: '2 hours', redis: clientOf(t, server), nameSpace: `${module.name}${Object.keys(options)}`, ...options })
      app.get('/', served)
      const answers = []
      for (let i = 0; i < 4; i++) {
        const { status, headers, body } = await answerOf(app, '/')
        const hoursOf = (name: string) => headers[name] === undefined ? undefined : Math.round(Number(headers[name]) / 3_600)
        answers.push({ status, body, names: Object.keys(headers), ...headers, 'x-ratelimit-reset': hoursOf('x-ratelimit-reset'), 'retry-after': hoursOf('retry-after') })
      }
      return answers
    }))
    t.same(found, expected)
  }
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

t.test('as a store class for @fastify/rate-limit, over Redis and in memory', async t => {
  const { RespiteStore } = await import('../../src/compat/index.ts')
  const rateLimit = createRequire(import.meta.url)('@fastify/rate-limit')
  const server = await serverOf(t)
  const linked = await bareApp(t, { redis: { url: server.url } })
  await linked.ready()
  await until('the link to be up', () => linked.respite.link.state === 'up')
  for (const app of [linked, await bareApp(t)]) {
    const host = Fastify()
    t.teardown(() => host.close())
    await host.register(rateLimit, { max: 5, ban: 1, store: RespiteStore.over(app.respite, { nameSpace: 'theirs-', ...patient }) })
    host.get('/', served)
    host.get('/own', { config: { rateLimit: { max: 2, continueExceeding: true } } as object }, served)
    const checks = [host.createRateLimit({ max: 1 }), host.createRateLimit({ max: 1 })]
    host.get('/check', { config: { rateLimit: false } }, async request => [await checks[0]!(request), await checks[1]!(request, { increment: false })].map(one => Object(one).remaining))
    t.same(await statuses(host, 5, '/own'), [200, 200, 429, 403, 403])
    t.same(await statuses(host, 2, '/'), [200, 200])
    t.same((await host.inject('/check')).json(), [0, 1])
  }
  t.ok((await clientOf(t, server).keys('*')).every(key => key.includes(':theirs-')))
})
