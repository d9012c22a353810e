import { startRedis, until } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { linkedApp, makeApp, served, seriesOf } from '../app.ts'

const minute = { per: '1m' } as const
const limits = { limits: [{ name: 'ip', limit: 10, ...minute }, { name: 'ip2', limit: 10, ...minute, algorithm: 'gcra' }] } as const
const byUser = { name: 'user', limit: 1, ...minute, by: 'user' } as const
const byKey = { name: 'key', limit: 1, ...minute, key: (request: { headers: Record<string, unknown> }) => request.headers['x-tenant'] as string } as const

const remoteAddress = '192.0.2.1'
const from = (url: string, user: string, tenant = user) => ({ url, remoteAddress, headers: { 'x-user': user, 'x-tenant': tenant } })

function routes (app: FastifyInstance): void {
  // Stands for a session: it is asked in the same tick as the limits, and refuses whose token has ended.
  app.respite.requests.add<true, 'asked'>({
    name: 'session',
    phase: 'session',
    configKey: 'session',
    plan: ({ pattern }) => pattern === '/session' ? true : undefined,
    start: () => 'asked',
    settle (_, request, __, done) {
      setImmediate(() => request.headers['x-ended'] === undefined ? done() : done(Object.assign(new TypeError('the session has ended'), { statusCode: 401 })))
    }
  })
  app.get('/user', { config: { rateLimit: byUser } }, served)
  app.get('/key', { config: { rateLimit: byKey } }, served)
  app.get('/both', { config: { rateLimit: [{ ...byUser, name: 'wide', limit: 5 }, byKey] } }, served)
  app.get('/throws', async () => { throw new TypeError('the handler') })
  app.get('/unkeyed', { config: { rateLimit: { ...byKey, name: 'unkeyed', key: () => { throw new TypeError('the key') } } } }, served)
  app.get('/session', { config: { rateLimit: byUser } }, served)
}

/** The same in memory and in Redis. */
async function everywhere (t: Test, check: (app: FastifyInstance) => Promise<void>): Promise<void> {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const { app } = await makeApp(t, limits)
  routes(app)
  await app.ready()
  await check(app)
  await check(await linkedApp(t, limits, { url: server.url }, routes))
}

/** What is given back is given back after the answer. */
async function left (t: Test, app: FastifyInstance, what: Record<string, [key: string, remaining: number]>): Promise<void> {
  for (const [name, [key, remaining]] of Object.entries(what)) {
    const now = async () => (await app.rateLimit.peek(name, key)).remaining
    await until(`${remaining} of ${name}`, async () => await now() === remaining, 2_000).catch(() => undefined)
    t.equal(await now(), remaining, name)
  }
}

t.test('a refusal by a limit of the user gives back what those by address have charged', t => everywhere(t, async app => {
  t.equal((await app.inject(from('/user', 'ada'))).statusCode, 200)
  for (let i = 0; i < 20; i++) {
    const response = await app.inject(from('/user', 'ada'))
    t.equal(response.json().violated, 'user')
    t.equal(response.headers['x-ratelimit-limit'], '1')
  }
  await left(t, app, { ip: [remoteAddress, 9], ip2: [remoteAddress, 9], user: ['ada', 0] })
}))

t.test('a refusal by a limit with a key gives back all that came before', t => everywhere(t, async app => {
  t.equal((await app.inject(from('/both', 'ada', 'acme'))).statusCode, 200)
  for (let i = 0; i < 20; i++) t.equal((await app.inject(from('/both', 'ada', 'acme'))).json().violated, 'key')
  await left(t, app, { ip: [remoteAddress, 9], ip2: [remoteAddress, 9], wide: ['ada', 4], key: ['acme', 0] })
}))

t.test('a refusal by address comes before all others and charges none of them', t => everywhere(t, async app => {
  await app.rateLimit.take('ip', '192.0.2.7', { cost: 10 })
  const response = await app.inject({ ...from('/both', 'ada', 'acme'), remoteAddress: '192.0.2.7' })
  t.equal(response.json().violated, 'ip')
  t.same(response.json().violations.length, 1)
  await left(t, app, { ip2: ['192.0.2.7', 10], wide: ['ada', 5], key: ['acme', 1] })
}))

t.test('a session that is refused comes before a limit of the user, and charges the user nothing', t => everywhere(t, async app => {
  const ended = { ...from('/session', 'ada'), headers: { 'x-user': 'ada', 'x-ended': 'yes' } }
  for (let i = 0; i < 3; i++) t.equal((await app.inject(ended)).statusCode, 401)
  await left(t, app, { user: ['ada', 1], ip: [remoteAddress, 7] })
  t.equal((await app.inject(from('/session', 'ada'))).statusCode, 200)
  t.equal((await app.inject(ended)).statusCode, 401, 'and not 429, where both refuse')
  t.equal((await app.inject(from('/session', 'ada'))).statusCode, 429)
}))

t.test('a request that fails after its limits, or by a key function, stays charged: only refusals are given back', t => everywhere(t, async app => {
  for (const [url, status] of [['/nowhere', 404], ['/throws', 500], ['/unkeyed', 500]] as const) t.equal((await app.inject({ url, remoteAddress })).statusCode, status)
  await left(t, app, { ip: [remoteAddress, 7] })
}))

t.test('the last place that a burst of requests asks for is taken once, in each phase', t => everywhere(t, async app => {
  for (const url of ['/user', '/key']) {
    const all = await Promise.all(Array.from({ length: 8 }, () => app.inject(from(url, 'eve'))))
    t.equal(all.filter(({ statusCode }) => statusCode === 200).length, 1)
    await left(t, app, { ip: [remoteAddress, url === '/user' ? 9 : 8] })
  }
  const decisions = await seriesOf(app, 'rate_limit_exceeded_total')
  t.equal(decisions['user GET /user'], 7)
  t.equal(decisions['key GET /key'], 7)
}))
