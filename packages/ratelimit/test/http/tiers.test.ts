import { startRedis } from '@respite/testing'
import t from 'tap'
import type { CostOf, LimitFor, LimitOptions } from '../../src/index.ts'
import { linkedApp, makeApp, served, statuses } from '../app.ts'

const tiers: Record<string, ReturnType<LimitFor>> = { none: undefined, null: null, gold: 5, silver: 3, short: { limit: 4, per: '10s' }, zero: 0 }
const base = { name: 'tiered', limit: 2, per: '1m' } as const
const as = (tier: string, url = '/') => ({ url, headers: { 'x-tier': tier, 'x-user': 'ada' } })
const header: LimitFor = request => tiers[request.headers['x-tier'] as string]

t.test('each has as much as its tier says, whatever the limit counts by, and headers and refusals say so', async t => {
  for (const by of [{ by: 'ip' }, { by: 'user' }, { key: () => 'k' }] as const) {
    for (const limitFor of [header, async (request: Parameters<LimitFor>[0]) => header(request)]) {
      const admitted = async (tier: string) => {
        const { app } = await makeApp(t, { limits: [{ ...base, ...by, limitFor }] })
        app.get('/', served)
        const all = await statuses(app, 7, as(tier))
        const refused = await app.inject(as(tier))
        return { admitted: all.filter(status => status === 200).length, limit: refused.headers['x-ratelimit-limit'], of: refused.json().violations[0].limit, per: refused.json().violations[0].windowMs }
      }
      t.same(await admitted('none'), { admitted: 2, limit: '2', of: 2, per: 60_000 })
      t.same(await admitted('null'), { admitted: 2, limit: '2', of: 2, per: 60_000 })
      t.same(await admitted('gold'), { admitted: 5, limit: '5', of: 5, per: 60_000 })
      t.same(await admitted('short'), { admitted: 4, limit: '4', of: 4, per: 10_000 })
      t.same(await admitted('zero'), { admitted: 0, limit: '0', of: 0, per: 60_000 })
    }
  }
})

t.test('what was counted is kept when the tier changes, up and down, in memory and in Redis', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const algorithms = ['fixed-window', 'sliding-log', 'sliding-counter', 'gcra'] as const
  const options = { named: algorithms.map((algorithm): LimitOptions => ({ ...base, name: algorithm, algorithm, limitFor: header })) }
  const routes = (app: Awaited<ReturnType<typeof linkedApp>>) => { for (const name of algorithms) app.get(`/${name}`, { config: { rateLimit: name } }, served) }
  const { app: embedded } = await makeApp(t, options)
  routes(embedded)
  for (const app of [embedded, await linkedApp(t, options, { url: server.url }, routes)]) {
    for (const name of algorithms) {
      const status = async (tier: string) => (await app.inject(as(tier, `/${name}`))).statusCode
      t.same([await status('silver'), await status('silver'), await status('none')], [200, 200, 429], `${name}: two were counted, a lower tier has no more`)
      // Of gcra what is owed is a time: two of 20 s are more than three of 12 s.
      t.equal(await status('gold'), 200, `${name}: and a higher one has`)
      t.equal(await status('none'), 429)
    }
  }
})

t.test('a tier that is none fails the request, with the limit and the value, and charges nothing', async t => {
  const wrong: [unknown, RegExp][] = [
    ['gold', /limitFor of limit 'tiered' returned 'gold': neither a number nor/], [true, /returned true/], [-1, /returned -1: 'limit' must be a whole number from 0/],
    [1.5, /returned 1.5/], [NaN, /returned NaN/], [1e10, /returned 10000000000/], [{ limit: '5' }, /'limit' must be a whole number/], [{ limti: 5 }, /'limti' is unknown/],
    [{ per: '1 minute' }, /'per' must be a duration/], [{ per: '400d' }, /'per' must be a duration/], [{ burst: 0 }, /'burst' must be a whole number from 1/], [{ burst: 4 }, /'burst' belongs to gcra/]
  ]
  const { app } = await makeApp(t)
  let value: unknown
  app.get('/', { config: { rateLimit: { ...base, limitFor: () => value as number } } }, served)
  app.get('/log', { config: { rateLimit: { ...base, name: 'log', algorithm: 'sliding-log', limitFor: () => 20_000 } } }, served)
  for (const [given, message] of wrong) {
    value = given
    const response = await app.inject('/')
    t.equal(response.statusCode, 500)
    t.match(response.json(), { code: 'FST_RSP_RATELIMIT_TIER_INVALID', message })
  }
  t.match((await app.inject('/log')).json(), { message: /sliding-log remembers each admission: at most 10000, got 20000/ })
  value = undefined
  t.same(await statuses(app, 3, '/'), [200, 200, 429])
})

t.test('a gcra\'s tier has the burst of the limit, or its own', async t => {
  const { app } = await makeApp(t)
  let value: ReturnType<LimitFor>
  app.get('/', { config: { rateLimit: { name: 'g', rate: '60/m', burst: 2, limitFor: () => value } } }, served)
  value = 120
  t.same(await statuses(app, 3, '/'), [200, 200, 429])
  value = { limit: 120, burst: 4 }
  t.same(await statuses(app, 3, '/'), [200, 200, 429])
})

t.test('a cost by the request is charged as it says; 0 is not counted', async t => {
  for (const cost of [(request => Number(request.headers['x-cost'])) as CostOf, (async request => Number(request.headers['x-cost'])) as CostOf]) {
    const { app } = await makeApp(t, { limits: [{ ...base, limit: 10, cost }] })
    app.get('/', { preHandler: async request => { request.headers['x-cost'] += '' } }, served)
    const ask = (cost: string) => app.inject({ url: '/', headers: { 'x-cost': cost } })
    t.equal((await ask('4')).headers['x-ratelimit-remaining'], '6')
    const free = await ask('0')
    t.same([free.statusCode, free.headers['x-ratelimit-remaining']], [200, undefined])
    t.equal((await ask('7')).statusCode, 429)
    t.equal((await ask('6')).headers['x-ratelimit-remaining'], '0')
    for (const wrong of ['-1', '1.5', 'x', '1e10']) t.match((await ask(wrong)).json(), { code: 'FST_RSP_RATELIMIT_COST_INVALID', message: /^the cost for limit 'tiered' must be a whole number from 0 to 1000000000, got / })
    t.equal((await app.rateLimit.peek('tiered', '127.0.0.1')).remaining, 0)
  }
})

t.test('by hand such limits have their own size, and cost 1', async t => {
  const { app } = await makeApp(t, { named: [{ ...base, cost: () => 2, limitFor: () => 9 }] })
  t.match(await app.rateLimit.take('tiered', '192.0.2.1'), { limit: 2, remaining: 1, cost: 1 })
})
