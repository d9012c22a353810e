import type { FastifyInstance } from 'fastify'
import t from 'tap'
import rateLimit, { type LimitOptions, type RateLimitOptions } from '../../src/index.ts'
import { bareApp, makeApp, served, statuses } from '../app.ts'

const burst = { name: 'burst', limit: 2, per: '1m' } as const

t.test('the limits of every route and those of a route hold together', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'all', limit: 3, per: '1m' }] })
  app.get('/own', { config: { rateLimit: burst } }, served)
  app.get('/other', served)
  t.same(await statuses(app, 3, '/own'), [200, 200, 429])
  t.same(await statuses(app, 2, '/other'), [200, 429], 'what was refused was not charged')
  t.equal((await app.inject('/own')).json().violations.length, 2)
})

t.test('a route that says false has no limit at all', async t => {
  const { app } = await makeApp(t, {
    limits: [{ name: 'ip', limit: 0, per: '1m' }, { name: 'user', limit: 0, per: '1m', by: 'user' }, { name: 'key', limit: 0, per: '1m', key: () => 'k' }]
  })
  app.get('/health', { config: { rateLimit: false } }, served)
  app.get('/', served)
  const response = await app.inject('/health')
  t.equal(response.statusCode, 200)
  t.same(Object.keys(response.headers).filter(name => name.includes('ratelimit')), [])
  t.equal((await app.inject('/')).statusCode, 429)
})

t.test('limits by name count only where they are named, and share one budget there', async t => {
  const { app } = await makeApp(t, { named: [{ name: 'search', limit: 2, per: '1m' }] })
  app.get('/a', { config: { rateLimit: 'search' } }, served)
  app.get('/b', { config: { rateLimit: ['search', { name: 'b', limit: 100, per: '1m' }] } }, served)
  app.get('/c', { config: { rateLimit: 'b' } }, served)
  app.get('/free', served)
  t.same([...await statuses(app, 1, '/a'), ...await statuses(app, 2, '/b')], [200, 200, 429])
  t.same(await statuses(app, 3, '/free'), [200, 200, 200])
  t.equal((await app.inject('/c')).headers['x-ratelimit-remaining'], '98', 'a limit of another route, by its name')
})

t.test('the same limit written on several routes is one budget, counted once where it is also everywhere', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'all', limit: 10, per: 60_000 }] })
  app.get('/a', { config: { rateLimit: burst } }, served)
  app.get('/b', { config: { rateLimit: { name: 'burst', rate: '2/m', algorithm: 'sliding-log', by: 'ip' } } }, served)
  app.get('/twice', { config: { rateLimit: [{ name: 'all', limit: 10, per: '1m' }, 'all'] } }, served)
  t.same([...await statuses(app, 1, '/a'), ...await statuses(app, 2, '/b')], [200, 200, 429])
  t.equal((await app.inject('/twice')).headers['x-ratelimit-remaining'], '7')
})

t.test('one name for two different limits fails the boot, and says what both are', async t => {
  const others: [LimitOptions, string][] = [
    [{ ...burst, limit: 3 }, '3 per 1 min (sliding-log, by ip)'],
    [{ ...burst, per: '90s' }, '2 per 90 s (sliding-log, by ip)'],
    [{ ...burst, by: 'user' }, '2 per 1 min (sliding-log, by user)'],
    [{ ...burst, key: () => 'k' }, '2 per 1 min (sliding-log, by key)'],
    [{ ...burst, burst: 4 }, '2 per 1 min (gcra, burst 4, by ip)']
  ]
  for (const [other, what] of others) {
    const expected = { code: 'FST_RSP_RATELIMIT_NAME_TAKEN', message: `limit 'burst' is 2 per 1 min (sliding-log, by ip), and cannot also be ${what}: give one of them another name` }
    const { app } = await makeApp(t, { limits: [burst] })
    t.throws(() => app.get('/', { config: { rateLimit: other } }, served), expected)
    t.throws(() => app.rateLimit(other), expected)
    for (const options of [{ limits: [burst, other] }, { limits: [burst], named: [other] }]) await t.rejects(makeApp(t, options), expected)
  }
})

t.test('a route\'s wrong config fails the boot, with the route, the option and the value', async t => {
  const cases: [unknown, RegExp][] = [
    [true, /must be false, a limit, the name of one, or a list of them, got true/],
    [null, /must be false, .* got null/],
    [[burst, 7], /must be false, .* got 7/],
    ['unheard', /there is no limit 'unheard'/],
    [{}, /'name' is missing/],
    [{ ...burst, limti: 3 }, /'limti' is unknown, got 3/],
    [{ ...burst, limit: -1 }, /'limit' must be >= 0, got -1/],
    [{ ...burst, limit: 1.5 }, /'limit' must be integer, got 1.5/],
    [{ ...burst, limit: '2' }, /'limit' must be integer, got '2'/],
    [{ ...burst, per: '1 minute' }, /'per' must be milliseconds or a duration.*got '1 minute'/],
    [{ ...burst, per: 0 }, /'per' .*at least 1 ms.*got 0/],
    [{ ...burst, per: '400d' }, /'per' .*at most 31622400000 ms.*got '400d'/],
    [{ ...burst, key: 'user' }, /'key' must be of type function, got 'user'/],
    [{ ...burst, by: 'tenant' }, /'by' must be one of 'ip', 'user', got 'tenant'/],
    [{ ...burst, cost: 0 }, /'cost' must be >= 1, got 0/],
    [{ name: 'half', limit: 1 }, /limit 'half': needs 'limit' and 'per', or 'rate'/],
    [{ name: 'both', rate: '1/m', limit: 1 }, /limit 'both': has 'rate' beside 'limit' or 'per'/],
    [{ name: 'who', rate: '1/m', by: 'ip', key: () => 'k' }, /limit 'who': has both 'by' and 'key'/]
  ]
  const { app } = await makeApp(t, { named: [{ name: 'known', limit: 1, per: '1m' }] })
  for (const [config, message] of cases) {
    const add = () => app.route({ method: ['POST', 'PUT'], url: '/entries/:id', config: { rateLimit: config as LimitOptions }, handler: served })
    t.throws(add, { code: 'FST_RSP_RATELIMIT_ROUTE_INVALID', message }, String(message))
    t.throws(add, { message: /^POST,PUT \/entries\/:id: config\.rateLimit / })
    t.throws(() => app.rateLimit(config as LimitOptions), { code: 'FST_RSP_RATELIMIT_ROUTE_INVALID', message })
    t.throws(() => app.rateLimit(config as LimitOptions), { message: /^rateLimit\(\) / })
  }
  app.register(async child => { child.get('/late', { config: { rateLimit: 'unheard' } }, served) }, { prefix: '/child' })
  await t.rejects(async () => { await app.ready() }, { message: /^GET \/child\/late: config\.rateLimit .*'unheard'/ })
})

t.test('options that are unknown, of a wrong type or out of bounds fail the boot, with path and value', async t => {
  const cases: [object, RegExp][] = [
    [{ limit: [] }, /^ratelimit: option 'limit' is unknown, got an array of 0/],
    [{ limits: burst }, /'limits' must be array, got an object with name, limit, per/],
    [{ limits: [burst, { ...burst, limit: -1 }] }, /'limits\[1\]\.limit' must be >= 0, got -1/],
    [{ named: [{ ...burst, name: '' }] }, /'named\[0\]\.name' .*got ''/],
    [{ named: [{ ...burst, rate: '1/fortnight' }] }, /'named\[0\]\.rate' must match.*got '1\/fortnight'/],
    [{ limits: [{ ...burst, algorithm: 'leaky' }] }, /'limits\[0\]\.algorithm' must be one of .*got 'leaky'/],
    [{ limits: [{ ...burst, onStoreError: 'retry' }] }, /'limits\[0\]\.onStoreError' must be one of 'local', 'open', 'closed', got 'retry'/],
    [{ onStoreError: true }, /'onStoreError' must be one of .*got true/],
    [{ timeoutMs: 0 }, /'timeoutMs' .*at least 1 ms, at most 10000 ms, got 0/],
    [{ timeoutMs: '11s' }, /'timeoutMs' .*got '11s'/],
    [{ allow: '10.0.0.0/8' }, /'allow' must be array, got '10.0.0.0\/8'/],
    [{ allow: [7] }, /'allow\[0\]' must be string, got 7/],
    [{ headers: ['retry-after'] }, /'headers\[0\]' must be one of 'x-ratelimit', 'draft', got 'retry-after'/],
    [{ headers: ['draft', 'draft'] }, /'headers' must NOT have duplicate items/],
    [{ errorBuilder: {} }, /'errorBuilder' must be of type function, got \{\}/],
    [{ maxKeys: 10 }, /'maxKeys' must be >= 1000, got 10/],
    [{ maxKeys: Infinity }, /'maxKeys' .*got Infinity/]
  ]
  for (const [options, message] of cases) await t.rejects(makeApp(t, options as RateLimitOptions), { code: 'FST_RSP_OPTION_INVALID', message }, String(message))
  const contradictions: LimitOptions[] = [
    { name: 'a', limit: 5 }, { name: 'a', rate: '9999999999/s' }, { name: 'a', limit: 0, per: '1m', burst: 1 }, { name: 'a', rate: '20000/m', algorithm: 'sliding-log' }
  ]
  for (const wrong of contradictions) {
    await t.rejects(makeApp(t, { limits: [wrong] }), { code: 'FST_RSP_RATELIMIT_LIMIT_INVALID', message: /^limit 'a': / })
  }
})

t.test('hazard 15: GET and the HEAD made from it share a budget, also of a limit with a key; OPTIONS is free', async t => {
  for (const more of [{}, { key: () => 'k' }, { by: 'user' }] as const) {
    const { app } = await makeApp(t)
    const config = { rateLimit: { ...burst, ...more } }
    app.get('/', { config }, served)
    app.register(async child => { child.get('/', { config }, served) }, { prefix: '/p' })
    app.options('/', { config }, served)
    for (let i = 0; i < 3; i++) {
      const { statusCode, headers } = await app.inject({ method: 'OPTIONS', url: '/' })
      t.equal(statusCode, 200)
      t.equal(headers['x-ratelimit-limit'], undefined)
    }
    t.same([...await statuses(app, 1, '/p'), ...await statuses(app, 1, { method: 'HEAD', url: '/' }), ...await statuses(app, 1, '/')], [200, 200, 429])
    for (const method of ['GET', 'HEAD'] as const) for (const url of ['/', '/p', '/p/']) t.equal((await app.inject({ method, url })).statusCode, 429, `${method} ${url}`)
    t.equal((await app.inject({ method: 'HEAD', url: '/' })).body, '')
  }
})

t.test('a request is counted once by a limit of every route, wherever its route lies', async t => {
  const { app } = await makeApp(t, { limits: [{ name: 'all', limit: 100, per: '1m', key: () => 'k' }, { name: 'ip', limit: 100, per: '1m' }] })
  app.get('/', { config: { rateLimit: 'all' } }, served)
  app.register(async child => { child.get('/', served) }, { prefix: '/p' })
  let left = 100
  for (const url of ['/', '/p', '/p/', '/nowhere', '/p/nowhere']) {
    for (const method of ['GET', 'HEAD'] as const) t.equal((await app.inject({ method, url })).headers['x-ratelimit-remaining'], String(--left), `${method} ${url}`)
  }
})

t.test('hazard 15: routes that do not exist are counted by the limits of every route: by address, by user and by key', async t => {
  const handlers: Record<string, (app: FastifyInstance) => void> = {
    default: () => {},
    own: app => app.setNotFoundHandler((_, reply) => { reply.code(404).send('own') }),
    child: app => app.register(async child => { child.setNotFoundHandler((_, reply) => { reply.code(404).send('child') }) }, { prefix: '/child' })
  }
  for (const [what, set] of Object.entries(handlers)) {
    for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
      const { app } = await makeApp(t, { limits: [{ ...burst, ...more }] })
      set(app)
      app.get('/', served)
      t.same(await statuses(app, 2, '/child/wp-admin.php'), [404, 404], what)
      for (const url of ['/child/other', '/.env', '/']) t.equal((await app.inject(url)).statusCode, 429, `${what} ${JSON.stringify(Object.keys(more))} ${url}`)
      t.equal((await app.inject({ method: 'DELETE', url: '/' })).statusCode, 429)
      t.equal((await app.inject({ method: 'OPTIONS', url: '/nowhere' })).statusCode, 404)
    }
  }
})

t.test('hazard 22: a route that calls the not-found handler is charged once by the limits of every route', async t => {
  const { app } = await makeApp(t, { limits: [{ ...burst, key: () => 'k' }, { name: 'ip', limit: 2, per: '1m' }] })
  app.get('/gone', async (_, reply) => { reply.callNotFound(); return reply })
  t.same(await statuses(app, 3, '/gone'), [404, 404, 429])
})

t.test('so is one that gives such a limit a cost of its own', async t => {
  const key = { name: 'key', limit: 4, per: '1m', key: () => 'k' } as const
  const { app } = await makeApp(t, { limits: [key] })
  app.get('/gone', { config: { rateLimit: { ...key, cost: 2 } } }, async (_, reply) => { reply.callNotFound(); return reply })
  t.same(await statuses(app, 3, '/gone'), [404, 404, 429])
})

t.test('hazard 22: registered in a child context it limits the routes there, and no others', async t => {
  const app = await bareApp(t)
  app.register(async child => {
    await child.register(rateLimit, { limits: [burst, { name: 'key', limit: 2, per: '1m', key: () => 'k' }] })
    child.get('/in', served)
    child.register(async grandchild => { grandchild.get('/deep', served) }, { prefix: '/deeper' })
  }, { prefix: '/api' })
  app.get('/out', served)
  t.same([...await statuses(app, 1, '/api/in'), ...await statuses(app, 2, '/api/deeper/deep')], [200, 200, 429])
  t.same(await statuses(app, 4, '/out'), [200, 200, 200, 200])
  t.same(await statuses(app, 4, '/nowhere'), [404, 404, 404, 404])
  t.notOk(app.hasDecorator('rateLimit'))
})

t.test('hazard 22: routes that are added later, anywhere below, are limited', async t => {
  const { app } = await makeApp(t, { limits: [burst] })
  app.register(async child => {
    await child.register(async grandchild => { grandchild.get('/a', served) })
    child.get('/b', { config: { rateLimit: { name: 'none', limit: 0, per: '1m' } } }, served)
  }, { prefix: '/p' })
  app.after(() => { app.get('/c', served) })
  t.equal((await app.inject('/p/b')).json().violated, 'none')
  t.same([...await statuses(app, 1, '/p/a'), ...await statuses(app, 2, '/c')], [200, 200, 429])
})

t.test('hazard 22: a route with limits of its own that was added before the plugin is refused, and says so', async t => {
  const app = await bareApp(t)
  app.get('/early', { config: { rateLimit: burst } }, served)
  app.get('/exempt', { config: { rateLimit: false } }, served)
  await app.register(rateLimit)
  for (const url of ['/early', '/exempt']) {
    const { statusCode, ...response } = await app.inject(url)
    t.equal(statusCode, 500)
    t.match(response.json(), { code: 'FST_RSP_ROUTE_BEFORE_PLUGIN', message: `GET ${url} has config.rateLimit, but was added before @respite/ratelimit was registered: register the plugin first` })
  }
})

t.test('hazard 22: the limits of every route also hold for routes that were added before the plugin', async t => {
  for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
    const app = await bareApp(t)
    app.get('/early', served)
    app.register(async child => { child.get('/early-child', served) })
    await app.register(rateLimit, { limits: [{ ...burst, ...more }] })
    app.get('/late', served)
    t.same([...await statuses(app, 1, '/early'), ...await statuses(app, 1, '/early-child')], [200, 200])
    for (const url of ['/early', '/early-child', '/late']) t.equal((await app.inject(url)).statusCode, 429, `${JSON.stringify(Object.keys(more))} ${url}`)
    t.equal((await app.inject({ method: 'HEAD', url: '/early' })).statusCode, 429)
  }
})
