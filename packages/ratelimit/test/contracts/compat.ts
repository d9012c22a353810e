import { until } from '@respite/testing'
import Fastify, { type FastifyInstance } from 'fastify'
import type { Cluster, Redis } from 'ioredis'
import type { Test } from 'tap'
import compat, { type RateLimitPluginOptions, RespiteStore } from '../../src/compat/index.ts'
import { bareApp, served, statuses } from '../app.ts'
import { answerOf, our, theirs } from '../compat/both.ts'

/** A server, or several, without keys. */
export interface HitServers {
  readonly clientOf: () => Redis | Cluster
  readonly keys: () => Promise<string[]>
}

// A busy machine is no outage.
export const patient = { timeoutMs: 5_000 } as const

export async function compatApp (t: Test, options: RateLimitPluginOptions, routes: (app: FastifyInstance) => void = app => { app.get('/', served) }): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(compat, { ...patient, ...options })
  routes(app)
  await app.ready()
  return app
}

/** What the drop-in keeps to over every kind of server. */
export function compatContract (t: Test, fresh: () => Promise<HitServers>): void {
  t.test('a client of option redis is used, shared by processes, and left as it was', async t => {
    const { clientOf, keys } = await fresh()
    const client = clientOf()
    const [one, two] = [await compatApp(t, { redis: client, max: 3 }), await compatApp(t, { redis: clientOf(), max: 3 })]
    t.same([...await statuses(one, 2, '/'), ...await statuses(two, 2, '/')], [200, 200, 200, 429])
    t.notOk(one.hasDecorator('respite'), 'the app gets no link that it did not ask for')
    t.notOk(one.hasDecorator('redis'))
    const [key, ...others] = await keys()
    t.same(others, [])
    t.match(key, /^respite:v1:hits:\{[\w-]{22}\}:fastify-rate-limit-$/)
    const leftMs = await client.pttl(key!)
    t.ok(leftMs > 0 && leftMs <= 60_000)
    await one.close()
    t.equal(await client.echo('still there'), 'still there')
  })

  t.test('routes, groups, checks by hand and registrations have counts of their own, in every process the same', async t => {
    const { clientOf } = await fresh()
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
        await child.register(compat, { ...patient, redis: clientOf(), max: 1 })
        child.get('/', { config: { rateLimit: false } }, served)
        child.get('/inner', served)
      }, { prefix: '/child' })
    }
    const [one, two] = [await compatApp(t, { redis: clientOf(), max: 5 }, routes), await compatApp(t, { redis: clientOf(), max: 5 }, routes)]
    for (const url of ['/a%20b', '/group', '/first', '/second', '/child/inner']) {
      t.same([...await statuses(one, 1, url), ...await statuses(two, 1, url)], [200, 429], url)
    }
    t.same(await statuses(one, 1, '/same-group'), [429])
    t.same(await statuses(two, 3, '/'), [200, 200, 200])
  })

  t.test('answers as @fastify/rate-limit does over Redis', async t => {
    const { clientOf } = await fresh()
    for (const options of [{}, { ban: 0 }, { continueExceeding: true }, { exponentialBackoff: true }]) {
      const [found, expected] = await Promise.all([our, theirs].map(async module => {
        const app = Fastify()
        t.teardown(() => app.close())
        // Hours, so that no second matters.
        await app.register(module.rateLimit, { ...(module === our ? patient : {}), max: 2, timeWindow: '2 hours', redis: clientOf(), nameSpace: `${module.name}${Object.keys(options)}`, ...options })
        app.get('/', served)
        app.get('/counted-alone', { config: { rateLimit: { max: 1_000 } } as object }, served)
        await until('the server of the counts', async () => (await app.inject('/counted-alone')).statusCode === 200)
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

  t.test('as a store class for @fastify/rate-limit, over Redis and in memory', async t => {
    const { clientOf, keys } = await fresh()
    const linked = await bareApp(t, { redis: { client: clientOf() } })
    await linked.ready()
    await until('the link to be up', () => linked.respite.link.state === 'up')
    for (const app of [linked, await bareApp(t)]) {
      const host = Fastify()
      t.teardown(() => host.close())
      await host.register(theirs.rateLimit, { max: 5, ban: 1, store: RespiteStore.over(app.respite, { nameSpace: 'theirs-', ...patient }) })
      host.get('/', served)
      host.get('/own', { config: { rateLimit: { max: 2, continueExceeding: true } } as object }, served)
      const checks = [host.createRateLimit({ max: 1 }), host.createRateLimit({ max: 1 })]
      host.get('/check', { config: { rateLimit: false } }, async request => [await checks[0]!(request), await checks[1]!(request, { increment: false })].map(one => Object(one).remaining))
      t.same(await statuses(host, 5, '/own'), [200, 200, 429, 403, 403])
      t.same(await statuses(host, 2, '/'), [200, 200])
      t.same((await host.inject('/check')).json(), [0, 1])
    }
    const made = await keys()
    t.ok(made.length > 0 && made.every(key => key.includes(':theirs-')), made.join())
  })
}
