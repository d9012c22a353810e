import { startRedis, until } from '@respite/testing'
import t from 'tap'
import { metrics } from '../src/index.ts'
import { linkedApp, makeApp, seriesOf, served, statuses } from './app.ts'

const minute = { per: '1m' } as const

t.test('metrics have the names, kinds and labels that are written down', async t => {
  const { app } = await makeApp(t)
  const all = (await app.respite.metrics.read()).filter(({ name }) => name.startsWith('rate_limit_'))
  t.same(all.map(({ name, kind, labels }) => [name, kind, [...labels]]).sort(), [
    ['rate_limit_blocks_total', 'counter', ['limit']],
    ['rate_limit_decisions_total', 'counter', ['limit', 'route', 'decision']],
    ['rate_limit_delayed_total', 'counter', ['limit']],
    ['rate_limit_denied_total', 'counter', []],
    ['rate_limit_exceeded_total', 'counter', ['limit', 'endpoint']],
    ['rate_limit_lease_answers_total', 'counter', ['limit']],
    ['rate_limit_lease_units_total', 'counter', ['limit', 'event']],
    ['rate_limit_load', 'gauge', []],
    ['rate_limit_memory_keys', 'gauge', []],
    ['rate_limit_shed_total', 'counter', ['limit']],
    ['rate_limit_slots_held', 'gauge', []],
    ['rate_limit_store_errors_total', 'counter', []],
    ['rate_limit_waiting', 'gauge', []]
  ])
  t.same(Object.values(metrics).map(({ name }) => name).sort(), all.map(({ name }) => name).sort())
})

t.test('decisions are counted by limit, route pattern and outcome; a series begins with its first', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'ip', limit: 100, ...minute }], named: [{ name: 'call', limit: 1, ...minute, key: () => 'k' }] })
  const one = { name: 'one', limit: 1, ...minute, by: 'user' } as const
  app.get('/users/:id', { config: { rateLimit: one } }, served)
  app.route({ method: ['POST', 'PUT'], url: '/many', config: { rateLimit: [{ ...one, name: 'keyed', by: undefined, key: () => 'k' }] }, handler: served })
  app.get('/hook', { preHandler: app.rateLimit('call'), config: { rateLimit: false } }, served)
  t.same(await seriesOf(app, 'rate_limit_decisions_total'), {})
  await statuses(app, 3, '/users/7')
  await app.inject({ method: 'HEAD', url: '/users/8' })
  await app.inject({ method: 'POST', url: '/many' })
  await app.inject({ method: 'PUT', url: '/many' })
  await statuses(app, 2, '/nowhere/7')
  await statuses(app, 2, '/hook')
  await app.rateLimit.reset('call', 'k')
  for (let i = 0; i < 2; i++) await app.rateLimit.take('call', 'k')
  await app.rateLimit.peek('call', 'k')
  t.same(await seriesOf(app, 'rate_limit_decisions_total'), {
    'ip GET /users/:id allowed': 4,
    'one GET /users/:id allowed': 1,
    'one GET /users/:id refused': 3,
    'ip POST,PUT /many allowed': 2,
    'keyed POST,PUT /many allowed': 1,
    'keyed POST,PUT /many refused': 1,
    'ip 404 allowed': 2,
    'call rateLimit() allowed': 1,
    'call rateLimit() refused': 1,
    'call take allowed': 1,
    'call take refused': 1
  })
  t.same(await seriesOf(app, 'rate_limit_exceeded_total'), {
    'one GET /users/:id': 3, 'keyed POST,PUT /many': 1, 'call rateLimit()': 1, 'call take': 1
  })
  t.same(await seriesOf(app, 'rate_limit_store_errors_total'), { '': 0 })
})

t.test('of a refused request a limit that had room is not counted as exceeded', async t => {
  const { app } = await makeApp(t)
  app.get('/', { config: { rateLimit: [{ name: 'room', limit: 9, ...minute }, { name: 'never', limit: 0, ...minute }] } }, served)
  await statuses(app, 2, '/')
  t.same(await seriesOf(app, 'rate_limit_exceeded_total'), { 'never GET /': 2 })
})

t.test('subjects in memory are counted, and go with their time; the report of health tells them', async t => {
  const { app, clock } = await makeApp(t, { limits: [{ name: 'ip', limit: 5, per: '10s' }] })
  app.get('/', served)
  const known = async () => (await seriesOf(app, 'rate_limit_memory_keys'))['']
  t.equal(await known(), 0)
  for (const remoteAddress of ['192.0.2.1', '192.0.2.2', '192.0.2.1', '192.0.2.3']) await app.inject({ url: '/', remoteAddress })
  t.equal(await known(), 3)
  t.same((await app.respite.health.report()).parts.ratelimit, { status: 'ok', memoryKeys: 3 })
  clock.nowMs += 11_000
  for (const last of [4, 5]) await app.inject({ url: '/', remoteAddress: `192.0.2.${last}` })
  t.equal(await known(), 2)
})

t.test('while Redis is away what nobody could check is unchecked or unavailable, and each failed check is counted', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, {}, { url: server.url }, app => {
    for (const onStoreError of ['open', 'closed', 'local'] as const) {
      app.get(`/${onStoreError}`, { config: { rateLimit: { name: onStoreError, limit: 1, ...minute, onStoreError } } }, served)
    }
  })
  await server.kill()
  await until('the link to know', () => app.respite.link.state === 'down')
  for (const url of ['/open', '/closed', '/local']) await statuses(app, 2, url)
  t.same(await seriesOf(app, 'rate_limit_decisions_total'), {
    'open GET /open unchecked': 2, 'closed GET /closed unavailable': 2, 'local GET /local allowed': 1, 'local GET /local refused': 1
  })
  t.same(await seriesOf(app, 'rate_limit_exceeded_total'), { 'local GET /local': 1 })
  t.same(await seriesOf(app, 'rate_limit_store_errors_total'), { '': 6 })
  t.match((await app.respite.health.report()).parts.ratelimit, { status: 'degraded', memoryKeys: 1 })
})
