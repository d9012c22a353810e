import Fastify, { type FastifyInstance } from 'fastify'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t, { type Test } from 'tap'
import compat, { type RateLimitOptions, type RateLimitPluginOptions, RespiteStore } from '../../src/compat/index.ts'
import { bareApp, served, statuses } from '../app.ts'
import rateLimit from '../../src/index.ts'
import { our, run, statusesOf, theirs, times } from './both.ts'

async function compatApp (t: Test, options: RateLimitPluginOptions = {}, routes: (app: FastifyInstance) => void = app => { app.get('/', served) }): Promise<FastifyInstance> {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(compat, options)
  routes(app)
  return app
}

const route = (rateLimit: RateLimitOptions) => ({ config: { rateLimit } })

t.test('what cannot be honoured is refused at boot, by its name and value', async t => {
  const wrong: [object, RegExp][] = [
    [{ max: '10' }, /'max' .* '10'/], [{ max: -1 }, /'max' .* -1/], [{ max: NaN }, /'max' .* NaN/], [{ max: Infinity }, /'max' .* Infinity/],
    [{ timeWindow: -5 }, /'timeWindow' .* -5/], [{ timeWindow: 'a while' }, /'timeWindow' .* 'a while'/], [{ timeWindow: '0s' }, /'timeWindow'/],
    [{ ban: -2 }, /'ban' .* -2/], [{ cache: 0 }, /'cache' .* 0/], [{ hook: 'onSend' }, /'hook' .* 'onSend'/], [{ allowList: '127.0.0.1' }, /'allowList'/],
    [{ ipv6Subnet: 129 }, /'ipv6Subnet' .* 129/], [{ keyGenerator: 'ip' }, /'keyGenerator'/], [{ store: {} }, /'store'/], [{ groupId: 'all' }, /'groupId'/],
    [{ whitelist: [] }, /'whitelist' is unknown/], [{ addHeaders: { 'retry-after': 1 } }, /'addHeaders/], [{ redis: 'redis://h' }, /'redis'/], [{ skipOnError: 'yes' }, /'skipOnError'/]
  ]
  for (const [options, message] of wrong) await t.rejects(compatApp(t, options as never), { code: 'FST_RSP_OPTION_INVALID', message }, JSON.stringify(options))
})

t.test('what a route says wrongly is refused with the route', async t => {
  const wrong: [unknown, RegExp][] = [
    [true, /GET \/wrong: config.rateLimit must be false or an object, got true/], [[{ max: 1 }], /must be false or an object/], [{ max: '1' }, /is wrong: .*'max'/],
    [{ redis: {} }, /'redis' is unknown/], [{ nameSpace: 'a' }, /'nameSpace' is unknown/], [{ global: true }, /'global' is unknown/], [{ groupId: 1 }, /'groupId'/]
  ]
  for (const [rateLimit, message] of wrong) {
    const app = await compatApp(t)
    t.throws(() => app.get('/wrong', { config: { rateLimit } } as object, served), { code: 'FST_RSP_RATELIMIT_ROUTE_INVALID', message })
    t.throws(() => app.rateLimit({ max: '1' } as never), { code: 'FST_RSP_OPTION_INVALID' })
  }
})

t.test('routes of a group share one count', async t => {
  const groups = {
    async build ({ app, module }: Parameters<Parameters<typeof run>[1]['build']>[0]) {
      await app.register(module.rateLimit, { max: 9 })
      for (const url of ['/send', '/resend']) app.get(url, { config: { rateLimit: { max: 3, groupId: 'OTP' } } } as object, served)
      app.get('/other', { config: { rateLimit: { max: 3, groupId: 'other' } } } as object, served)
    },
    steps: [...times(2, '/send'), ...times(2, '/resend'), '/other']
  }
  t.same(statusesOf((await run(our, groups)).answers), [200, 200, 200, 429, 200])
  t.same(statusesOf((await run(theirs, groups)).answers), [200, 200, 200, 200, 200])
})

t.test('the doubled window that a client is told is the one that holds', async t => {
  const backoff = {
    async build ({ app, module }: Parameters<Parameters<typeof run>[1]['build']>[0]) {
      await app.register(module.rateLimit, { max: 1, timeWindow: 1_000, exponentialBackoff: true })
      app.get('/', served)
    },
    steps: [...times(4), 3_999, '/', 8_000, '/']
  }
  const { answers } = await run(our, backoff)
  t.equal(answers[3]!.headers['retry-after'], '4')
  t.same(statusesOf(answers), [200, 429, 429, 429, 429, 200])
  t.same(statusesOf((await run(theirs, backoff)).answers), [200, 429, 429, 429, 200, 200])
})

t.test('a route has its own form of headers and its own store', async t => {
  class Full {
    incr (_key: string, callback: (error: null, result: { current: number, ttl: number }) => void) { callback(null, { current: 2, ttl: 5_000 }) }
    child () { return new Full() }
  }
  const app = await compatApp(t, { max: 1 }, app => {
    app.get('/draft', route({ enableDraftSpec: true }), served)
    app.get('/full', route({ store: Full }), served)
  })
  t.match((await app.inject('/draft')).headers, { 'ratelimit-limit': '1', 'ratelimit-remaining': '0' })
  t.match(await app.inject('/full'), { statusCode: 429, headers: { 'retry-after': '5' } })
})

t.test('a store that changes its options changes nobody else\'s', async t => {
  class Changing {
    current = 0
    options: any
    constructor (options: object) { this.options = options }
    incr (_key: string, callback: (error: null, result: { current: number, ttl: number }) => void) { callback(null, { current: ++this.current, ttl: 1_000 }) }
    child (route: object) { return new Changing(Object.assign(this.options, route)) }
  }
  const app = await compatApp(t, { max: 3, store: Changing }, app => {
    app.get('/', served)
    app.get('/less', route({ max: 1 }), served)
  })
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
})

t.test('a builder that makes nothing, or later, refuses all the same', async t => {
  for (const [errorResponseBuilder, statusCode] of [[() => undefined, 429], [() => null, 429], [async () => ({ statusCode: 420 }), 420]] as [never, number][]) {
    const app = await compatApp(t, { max: 0, errorResponseBuilder })
    t.equal((await app.inject('/')).statusCode, statusCode)
  }
})

t.test('functions that give no number, and keys that are none, are errors of the app; Infinity admits all', async t => {
  const statusOf = async (options: object) => (await (await compatApp(t, options)).inject('/'))
  for (const value of [undefined, NaN, '5', {}]) {
    t.match(await statusOf({ max: () => value }), { statusCode: 500, body: /FST_RSP_RATELIMIT_COMPAT_VALUE/ })
    t.match(await statusOf({ timeWindow: async () => value }), { statusCode: 500, body: /FST_RSP_RATELIMIT_COMPAT_VALUE/ })
  }
  t.match(await statusOf({ timeWindow: () => -1 }), { statusCode: 500 })
  t.match(await statusOf({ keyGenerator: () => ({}) }), { statusCode: 500, body: /FST_RSP_RATELIMIT_KEY_INVALID/ })
  t.match(await statusOf({ max: () => Infinity }), { statusCode: 200 })
})

t.test('a flood of keys frees nobody who is refused', async t => {
  const app = await compatApp(t, { max: 1, cache: 10, keyGenerator: request => request.headers['x-key'] as string })
  const as = (key: string) => ({ url: '/', headers: { 'x-key': key } })
  t.same(await statuses(app, 2, as('refused')), [200, 429])
  for (let i = 0; i < 100; i++) await app.inject(as(`flood ${i}`))
  t.equal((await app.inject(as('refused'))).statusCode, 429)
})

t.test('keys of 64 KB in memory are told apart by their last character, and take no more of it than others', async t => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const store = new RespiteStore({})
  const hits = (key: string) => {
    let count = 0
    store.incr(key, (_, told) => { count = told!.current }, 60_000, 1)
    return count
  }
  const long = (i: number) => `${'k'.repeat(65_536)}${i}`
  collect()
  const beforeBytes = process.memoryUsage().heapUsed
  for (let i = 0; i < 1_000; i++) if (hits(Buffer.from(long(i)).toString()) !== 1) t.fail(`${i} was there before`)
  collect()
  const grownBytes = process.memoryUsage().heapUsed - beforeBytes
  t.ok(grownBytes < 20_000_000, `${grownBytes} bytes`)
  t.equal(hits(long(7)), 2)
})

t.test('a check that is made in a handler refuses, too', async t => {
  const app = await compatApp(t, { global: false }, app => {
    app.get('/', async request => app.createRateLimit({ max: 2 })(request))
    app.get('/other', async request => app.createRateLimit({ max: 5 })(request))
  })
  const exceeded = async (url: string) => (await app.inject(url)).json().isExceeded
  t.same([await exceeded('/'), await exceeded('/'), await exceeded('/'), await exceeded('/other')], [false, false, true, false])
})

t.test('a store without read cannot be looked at', async t => {
  class Blind {
    incr () {}
    child () { return new Blind() }
  }
  const app = await compatApp(t, { global: false, store: Blind }, app => {
    const check = app.createRateLimit()
    app.get('/', async request => check(request, { increment: false }))
  })
  t.match(await app.inject('/'), { statusCode: 500, body: /FST_RSP_RATELIMIT_COMPAT_READ/ })
})

t.test('stands beside @respite/ratelimit in no app', async t => {
  const app = await bareApp(t)
  await app.register(rateLimit)
  await t.rejects(async () => { await app.register(compat) }, { code: 'FST_RSP_RATELIMIT_COMPAT_BESIDE' })
})
