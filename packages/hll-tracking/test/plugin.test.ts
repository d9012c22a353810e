import redis from '@respite/redis'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import tracking, { type TrackingOptions } from '../src/index.ts'
import { logLines } from './log-lines.ts'

async function embedded (t: Test, options?: TrackingOptions, logger?: { level: string, stream: { write (line: string): void } }): Promise<FastifyInstance> {
  const app = Fastify({ ...(logger === undefined ? {} : { logger }) })
  t.teardown(() => app.close())
  await app.register(redis)
  await app.register(tracking, options ?? {})
  return app
}

// onResponse runs after the answer has left.
const counted = (app: FastifyInstance, metric: string, calls: number) => until(`${calls} calls of ${metric}`, async () => await app.tracking.calls(metric) === calls)

async function metric (app: FastifyInstance, name: string): Promise<number> {
  const found = (await app.respite.metrics.read()).find(metric => metric.name === name)!
  let sum = 0
  for (const [, series] of found.entries()) sum += (series as { value: number }).value
  return sum
}

t.test('a tracked route counts its callers after the answer, when it went well', async t => {
  const app = await embedded(t, { who: request => request.headers['x-user'] as string })
  app.get('/ping', { config: { track: 'ping' } }, async () => ({}))
  app.get('/fails', { config: { track: 'ping' } }, async (_, reply) => reply.code(404).send({}))
  app.get('/silent', async () => ({}))
  for (const user of ['alice', 'bob', 'alice']) await app.inject({ url: '/ping', headers: { 'x-user': user } })
  await app.inject({ url: '/fails', headers: { 'x-user': 'mallory' } })
  await app.inject({ url: '/silent', headers: { 'x-user': 'mallory' } })
  await counted(app, 'ping', 3)
  t.same(await app.tracking.top('ping'), [{ id: 'alice', count: 2, maxOver: 0 }, { id: 'bob', count: 1, maxOver: 0 }])
  t.match(await app.tracking.unique('ping').count(), { value: 2, low: 2, high: 2, confidence: 0.95, exact: true })
  t.equal(await metric(app, 'tracking_events_total'), 3)
  t.equal(await metric(app, 'tracking_dropped_total'), 0)
})

t.test('a route may have a who of its own, and its own hooks still run', async t => {
  const app = await embedded(t, { who: () => 'the default' })
  let ran = 0
  app.get('/a/:team', {
    config: { track: { metric: 'teams', who: request => (request.params as { team: string }).team } },
    onResponse: async () => { ran++ }
  }, async () => ({}))
  app.get('/b', { config: { track: { metric: 'teams' } } }, async () => ({}))
  await app.inject('/a/red')
  await app.inject('/b')
  await counted(app, 'teams', 2)
  t.same((await app.tracking.top('teams')).map(({ id }) => id).sort(), ['red', 'the default'])
  t.equal(ran, 1)
})

t.test('HEAD counts as GET does, once, and a route at a prefix with and without its slash', async t => {
  const app = await embedded(t, { who: () => 'me' })
  app.get('/ping', { config: { track: 'ping' } }, async () => ({}))
  app.register(async child => { child.get('/', { config: { track: 'root' } }, async () => ({})) }, { prefix: '/p' })
  app.route({ method: ['POST', 'PUT'], url: '/many', config: { track: 'many' }, handler: async () => ({}) })
  await app.inject({ method: 'HEAD', url: '/ping' })
  await app.inject({ method: 'GET', url: '/ping' })
  for (const url of ['/p', '/p/']) await app.inject(url)
  for (const method of ['POST', 'PUT'] as const) await app.inject({ method, url: '/many' })
  await app.close()
  t.same(await Promise.all(['ping', 'root', 'many'].map(metric => app.tracking.calls(metric))), [2, 2, 2])
})

t.test('the caller is the user who is logged in, else the address', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis)
  await app.register(tracking)
  app.respite.provide('identity', { userId: request => request.headers['x-user'] as string | undefined, subject: () => undefined })
  app.get('/ping', { config: { track: 'ping' } }, async () => ({}))
  await app.inject({ url: '/ping', headers: { 'x-user': 'alice' } })
  await app.inject({ url: '/ping', remoteAddress: '203.0.113.7' })
  await counted(app, 'ping', 2)
  t.same((await app.tracking.top('ping')).map(({ id }) => id).sort(), ['203.0.113.7', 'alice'])
})

t.test('a who that throws or returns nothing harms no request; it is counted as dropped, and said once without the error\'s text', async t => {
  const { lines, stream } = logLines()
  const app = await embedded(t, undefined, { level: 'info', stream })
  app.get('/throws', { config: { track: { metric: 'm', who: () => { throw new TypeError('no user secret-7') } } } }, async () => ({}))
  app.get('/nobody', { config: { track: { metric: 'm', who: () => undefined } } }, async () => ({}))
  for (const url of ['/throws', '/throws', '/nobody']) t.equal((await app.inject(url)).statusCode, 200)
  await until('three drops', async () => await metric(app, 'tracking_dropped_total') === 3)
  t.equal(await app.tracking.calls('m'), 0)
  t.equal(lines.filter(line => line.includes('who failed')).length, 1)
  t.notMatch(lines.join(''), /secret-7/)
})

t.test('a route\'s bad config is refused when the route is added', async t => {
  const app = await embedded(t)
  const add = (track: unknown) => () => app.get(`/${String(track)}`, { config: { track: track as string } }, async () => ({}))
  t.throws(add('x'.repeat(1_024)), { code: 'FST_RSP_TRACKING_METRIC_INVALID' })
  t.throws(add(''), { code: 'FST_RSP_TRACKING_METRIC_INVALID' })
  t.throws(add({}), { code: 'FST_RSP_TRACKING_METRIC_INVALID' })
  t.throws(add(7), { code: 'FST_RSP_TRACKING_ROUTE_INVALID', message: /GET \/7.*got 7/ })
  t.throws(add({ metric: 'm', who: 'me' }), { code: 'FST_RSP_TRACKING_ROUTE_INVALID' })
})

t.test('a route that was added before the plugin is refused, for it would not be counted', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis)
  app.get('/early', { config: { track: 'early' } }, async () => ({}))
  await app.register(tracking)
  t.match((await app.inject('/early')).json(), { code: 'FST_RSP_ROUTE_BEFORE_PLUGIN' })
})

t.test('options out of their bounds fail the boot, with path and value, the key excepted', async t => {
  const refused = async (options: object, message: RegExp) => {
    const app = Fastify()
    app.register(redis)
    app.register(tracking, options)
    await t.rejects(async () => { await app.ready() }, { code: 'FST_RSP_OPTION_INVALID', message })
    await app.close()
  }
  await refused({ flushEvery: 5 }, /'flushEvery' is unknown/)
  await refused({ flushEveryMs: '2m' }, /'flushEveryMs' .*at most 60000 ms.*'2m'/)
  await refused({ maxBuffered: 0 }, /'maxBuffered' .*>= 1.*0/)
  await refused({ who: 'me' }, /'who' must be of type function, got 'me'/)
  await refused({ key: 'too short' }, /'key' .*got a string of 9 characters/)
  await refused({ zones: ['UTC', 'Mars/Olympus'] }, /'zones\[1\]' must be a time zone.*'Mars\/Olympus'/)
})

t.test('close flushes, and the report of health has its part', async t => {
  const app = await embedded(t, { flushEveryMs: 60_000 })
  const stay = app.tracking
  app.tracking.observe('ping', 'alice')
  t.match(await app.respite.health.report(), { parts: { tracking: { status: 'ok', buffered: 1, dropped: 0 } } })
  await app.close()
  t.equal(stay.buffered, 0)
  t.equal(await stay.calls('ping'), 1)
})
