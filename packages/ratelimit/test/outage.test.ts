import { type RedisServer, startProxy, startRedis, until } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import rateLimit, { presets } from '../src/index.ts'
import { bareApp, linkedApp, seriesOf, served, statuses } from './app.ts'

const three = { name: 'three', limit: 3, per: '10m' } as const
const quick = { timeoutMs: 50 } as const

async function redisOf (t: Test): Promise<RedisServer> {
  const server = await startRedis()
  t.teardown(() => server.stop())
  return server
}

const budgets = (headers: Record<string, unknown>) => Object.keys(headers).filter(name => name.includes('ratelimit'))

async function killed (server: RedisServer, ...apps: FastifyInstance[]): Promise<void> {
  await server.kill()
  for (const app of apps) await until('the link to know', () => app.respite.link.state === 'down')
}

const linkUp = (app: FastifyInstance) => until('the link to be up', () => app.respite.link.state === 'up')

t.test('while Redis is frozen requests are answered, counted here, and told no budget; afterwards Redis counts again', async t => {
  const server = await redisOf(t)
  const options = { ...quick, headers: ['x-ratelimit', 'draft'], named: [three, { ...three, name: 'warm' }] } as const
  const app = await linkedApp(t, options, { url: server.url, breaker: { failures: 4, probeEveryMs: 50 } }, app => {
    app.get('/', { config: { rateLimit: 'three' } }, served)
    for (const onStoreError of ['open', 'closed'] as const) app.get(`/${onStoreError}`, { config: { rateLimit: { ...three, name: onStoreError, limit: 0, onStoreError } } }, served)
  })
  await until('an answer of Redis', async () => (await app.rateLimit.take('warm', 'up')).by === 'store')
  server.freeze()
  // Each is answered although Redis never answers: that is what waiting no longer than the deadline means.
  const startMs = performance.now()
  for (const status of [200, 200, 200, 429, 429]) {
    const { statusCode, headers } = await app.inject('/')
    t.equal(statusCode, status)
    t.same(budgets(headers), [])
    t.equal(headers['retry-after'], status === 429 ? '600' : undefined)
  }
  t.same([...await statuses(app, 2, '/open'), ...await statuses(app, 2, '/closed')], [200, 200, 503, 503])
  t.ok(performance.now() - startMs < 5_000, 'nine requests of 50 ms each at most, and what a busy machine adds')
  await until('the breaker to open', () => app.respite.link.state === 'down')
  t.match(await app.rateLimit.peek('three', '127.0.0.1'), { allowed: false, remaining: undefined, by: 'local', violated: 'three' })
  t.match((await app.respite.health.report()).parts.ratelimit, { status: 'degraded', memoryKeys: 1 })
  server.thaw()
  await linkUp(app)
  t.match((await app.respite.health.report()).parts.ratelimit, { status: 'ok' })
  await app.rateLimit.reset('three', '127.0.0.1')
  await until('an answer of Redis', async () => (await app.rateLimit.take('warm', 'up')).by === 'store')
  t.match((await app.respite.health.report()).parts.ratelimit, { memoryKeys: 0 })
  t.match((await app.inject('/')).headers, { 'x-ratelimit-remaining': '2', ratelimit: /^"three";r=2;t=/ })
})

t.test('with Redis killed and back again, what was counted meanwhile is forgotten', async t => {
  const server = await redisOf(t)
  const app = await linkedApp(t, { limits: [three] }, { url: server.url }, app => app.get('/', served))
  t.equal((await app.inject('/')).headers['x-ratelimit-remaining'], '2')
  for (let round = 0; round < 2; round++) {
    await killed(server, app)
    t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
    await server.restart()
    await linkUp(app)
    t.equal((await app.inject('/')).headers['x-ratelimit-remaining'], '2', 'by the empty Redis')
  }
})

t.test('a Redis that is reached again but decides nothing makes nobody forget what is counted meanwhile', async t => {
  // Seen: the limit anew with each probe that a slow Redis answered, and every two seconds where it refused to write.
  const server = await redisOf(t)
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  const app = await linkedApp(t, { ...quick, limits: [three] }, { url: `redis://127.0.0.1:${proxy.port}`, deadlineMs: 5_000, breaker: { failures: 2, probeEveryMs: 50 } }, app => app.get('/', served))
  proxy.replyDelayMs = 100
  let admitted = 0
  for (let round = 0; round < 3; round++) {
    await linkUp(app)
    while (app.respite.link.state === 'up') if ((await app.inject('/')).statusCode === 200) admitted++
  }
  t.equal(admitted, 3)
})

t.test('each process admits its share of a limit, and one at least', async t => {
  const server = await redisOf(t)
  const make = () => linkedApp(t, { limits: [] }, { url: server.url }, app => {
    app.get('/seven', { config: { rateLimit: { name: 'seven', limit: 7, per: '10m' } } }, served)
    app.get('/one', { config: { rateLimit: { name: 'one', limit: 1, per: '10m' } } }, served)
    app.get('/none', { config: { rateLimit: { name: 'none', limit: 0, per: '10m' } } }, served)
    app.get('/burst', { config: { rateLimit: { name: 'burst', rate: '1/h', burst: 4 } } }, served)
  })
  const apps = [await make(), await make()]
  for (const app of apps) await until('both to know of each other', () => app.respite.bus.instances === 2)
  await killed(server, ...apps)
  for (const app of apps) {
    t.same(await statuses(app, 5, '/seven'), [200, 200, 200, 429, 429])
    t.same(await statuses(app, 2, '/one'), [200, 429])
    t.same(await statuses(app, 1, '/none'), [429])
    t.same(await statuses(app, 3, '/burst'), [200, 200, 429])
  }
})

for (const [how, budgetsAfter] of [['has kept its counts', 0], ['comes back empty', 1]] as const) {
  t.test(`over an outage within a window ${2 + budgetsAfter} budgets are admitted where Redis ${how}, by all processes together, and not one request more`, async t => {
    const server = await redisOf(t)
    const six = { name: 'six', limit: 6, per: '10m' } as const
    const make = () => linkedApp(t, { timeoutMs: 500, named: [six, { ...six, name: 'probe', limit: 1_000 }] }, { url: server.url, breaker: { failures: 2, probeEveryMs: 50 } })
    const apps = [await make(), await make()]
    for (const app of apps) await until('both to know of each other', () => app.respite.bus.instances === 2)
    const admitted = async () => {
      let count = 0
      for (let i = 0; i < 20; i++) if ((await apps[i % 2]!.rateLimit.take('six', 'k')).allowed) count++
      return count
    }
    const decidedBy = (who: string) => Promise.all(apps.map(app => until(`decisions by ${who}`, async () => (await app.rateLimit.take('probe', 'k')).by === who)))
    const before = await admitted()
    if (budgetsAfter === 1) await server.kill()
    else server.freeze()
    for (const app of apps) await until('the link to know', async () => (await app.rateLimit.take('probe', 'k')).by === 'local' && app.respite.link.state === 'down')
    const during = await admitted()
    if (budgetsAfter === 1) await server.restart()
    else server.thaw()
    await decidedBy('store')
    t.same({ before, during, after: await admitted() }, { before: 6, during: 6, after: 6 * budgetsAfter })
  })
}

t.test('within a second of its return Redis decides again, whether it was frozen or killed', async t => {
  const server = await redisOf(t)
  const app = await linkedApp(t, { ...quick, named: [{ ...three, limit: 1_000 }] }, { url: server.url })
  const by = async () => (await app.rateLimit.take('three', 'k')).by
  for (const [away, back] of [[() => server.freeze(), () => server.thaw()], [() => server.kill(), () => server.restart()]] as const) {
    const tookMs = []
    // The best of some: a busy machine takes its time.
    for (let round = 0; round < 4; round++) {
      await away()
      await until('the link to know', async () => await by() === 'local' && app.respite.link.state === 'down')
      await back()
      const startMs = performance.now()
      await until('Redis to decide', async () => await by() === 'store')
      tookMs.push(performance.now() - startMs)
    }
    t.ok(Math.min(...tookMs) <= 1_000, `${tookMs.map(Math.round)} ms`)
  }
})

t.test('open lets everybody pass, closed nobody, and each limit may have its own way', async t => {
  const server = await redisOf(t)
  const routes = (app: FastifyInstance) => {
    app.get('/plugin', { config: { rateLimit: three } }, served)
    for (const onStoreError of ['local', 'open', 'closed'] as const) {
      app.get(`/${onStoreError}`, { config: { rateLimit: { ...three, name: onStoreError, onStoreError } } }, served)
    }
    app.get('/both', { config: { rateLimit: ['open', 'local'] } }, served)
    app.get('/all', { config: { rateLimit: ['open', 'local', 'closed'] } }, served)
  }
  for (const onStoreError of ['open', 'closed'] as const) {
    await server.restart()
    const app = await linkedApp(t, { onStoreError, headers: ['x-ratelimit', 'draft'] }, { url: server.url }, routes)
    await killed(server, app)
    const [open, closed] = [[200, 200, 200, 200, 200], [503, 503, 503, 503, 503]]
    t.same(await statuses(app, 5, '/plugin'), onStoreError === 'open' ? open : closed)
    t.same(await statuses(app, 5, '/open'), open)
    t.same(await statuses(app, 5, '/closed'), closed)
    t.same(await statuses(app, 5, '/all'), closed)
    t.same(await statuses(app, 4, '/both'), [200, 200, 200, 429], 'what is closed has charged nobody')
    t.same((await app.inject('/both')).json().violations.map(({ name }: { name: string }) => name), ['local'])
    for (const url of ['/open', '/closed', '/all', '/both']) t.same(budgets((await app.inject(url)).headers), [], url)
  }
})

t.test('closed answers 503 and when to try again, through the app\'s error handler', async t => {
  const server = await redisOf(t)
  const app = await linkedApp(t, {}, { url: server.url }, app => {
    app.post('/login', { config: { rateLimit: presets.auth } }, served)
    app.post('/keyed', { config: { rateLimit: { ...presets.auth, name: 'keyed', key: () => 'k' } } }, served)
    app.setErrorHandler((error: Error & { statusCode: number, code: string }, _, reply) => { reply.code(error.statusCode).send({ handled: error.code, message: error.message }) })
  })
  t.same(await statuses(app, 6, { method: 'POST', url: '/login' }), [200, 200, 200, 200, 200, 429])
  await killed(server, app)
  for (const url of ['/login', '/keyed']) {
    const response = await app.inject({ method: 'POST', url })
    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '1')
    t.same(response.json(), { handled: 'FST_RSP_RATELIMIT_STORE_DOWN', message: 'limits cannot be checked at the moment' })
  }
  await t.rejects(app.rateLimit.take('auth', '127.0.0.1'), { code: 'FST_RSP_RATELIMIT_STORE_DOWN', statusCode: 503 })
  await t.rejects(app.rateLimit.peek('auth', '127.0.0.1'), { code: 'FST_RSP_RATELIMIT_STORE_DOWN' })
})

t.test('a later limit that is closed gives back what those before it have counted here', async t => {
  const server = await redisOf(t)
  const app = await linkedApp(t, { limits: [three] }, { url: server.url }, app => {
    app.get('/', served)
    app.get('/user', { config: { rateLimit: { ...three, name: 'user', by: 'user', onStoreError: 'closed' } } }, served)
    app.get('/key', { config: { rateLimit: { ...three, name: 'key', key: () => 'k', onStoreError: 'closed' } } }, served)
  })
  await killed(server, app)
  for (const url of ['/user', '/key']) t.same(await statuses(app, 5, { url, headers: { 'x-user': 'ada' } }), [503, 503, 503, 503, 503])
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
})

t.test('Redis goes away between two limits of one request: the refusal is sent, though nothing can be given back', async t => {
  const server = await redisOf(t)
  let killing = true
  const app = await linkedApp(t, { limits: [three] }, { url: server.url }, app => {
    const key = async () => {
      if (killing) await killed(server, app)
      return 'k'
    }
    app.get('/', { config: { rateLimit: { name: 'key', limit: 0, per: '1m', key } } }, served)
  })
  t.equal((await app.inject('/')).statusCode, 429)
  killing = false
  t.equal((await app.inject('/')).statusCode, 429)
})

t.test('a refusal while Redis is away tells no budget, not even one that was known a moment before and is given back', async t => {
  const server = await redisOf(t)
  const app = await linkedApp(t, { limits: [three], headers: ['x-ratelimit', 'draft'] }, { url: server.url }, app => {
    for (const onStoreError of ['local', 'closed'] as const) {
      app.get(`/${onStoreError}`, { preHandler: () => killed(server, app), config: { rateLimit: { name: onStoreError, limit: 0, per: '1m', key: () => 'k', onStoreError } } }, served)
    }
  })
  for (const [url, status] of [['/local', 429], ['/closed', 503]] as const) {
    const { statusCode, headers } = await app.inject(url)
    t.equal(statusCode, status)
    t.same(budgets(headers), [])
    await server.restart()
    await linkUp(app)
  }
})

t.test('an app that starts without Redis limits from its first request', async t => {
  const server = await redisOf(t)
  await server.kill()
  const app = await bareApp(t, { redis: { url: server.url } })
  await app.register(rateLimit, { limits: [three] })
  app.get('/', served)
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
  await server.restart()
  await linkUp(app)
  t.equal((await app.inject('/')).headers['x-ratelimit-remaining'], '2')
})

t.test('by hand: take and peek say that nobody knows what remains; refund and reset tell that the store is away', async t => {
  const server = await redisOf(t)
  const app = await linkedApp(t, { named: [three, { ...three, name: 'open', onStoreError: 'open' }] }, { url: server.url })
  const before = await app.rateLimit.take('three', '192.0.2.1')
  t.match(before, { allowed: true, remaining: 2, by: 'store' })
  await killed(server, app)
  t.match(await app.rateLimit.take('three', '192.0.2.1'), { allowed: true, limit: 3, remaining: undefined, retryAfterMs: 0, violated: undefined, by: 'local' })
  t.match(await app.rateLimit.peek('three', '192.0.2.1', { cost: 3 }), { allowed: false, remaining: undefined, violated: 'three', by: 'local' })
  const passed = await app.rateLimit.take('open', '192.0.2.1', { cost: 100 })
  t.match(passed, { allowed: true, remaining: undefined, by: 'none' })
  await app.rateLimit.refund('open', '192.0.2.1', passed)
  await t.rejects(app.rateLimit.refund('three', '192.0.2.1', before), { code: 'FST_RSP_REDIS_DOWN' })
  const local = await app.rateLimit.take('three', '192.0.2.2')
  await app.rateLimit.refund('three', '192.0.2.2', local)
  t.match(await app.rateLimit.peek('three', '192.0.2.2', { cost: 3 }), { allowed: true }, 'what was counted here is taken back here')
  await t.rejects(app.rateLimit.reset('three', '192.0.2.1'), { code: 'FST_RSP_REDIS_DOWN' })
  t.match(await app.rateLimit.peek('three', '192.0.2.1', { cost: 3 }), { allowed: true }, 'here it is forgotten all the same')
  const decisions = await seriesOf(app, 'rate_limit_decisions_total')
  t.match(decisions, { 'three take allowed': 3, 'open take unchecked': 1 })
  t.ok((await seriesOf(app, 'rate_limit_store_errors_total'))['']! > 0)
})

t.test('a Redis that refuses scripts is one that is away: counted here, and told in the health report', async t => {
  const server = await startRedis('--user', 'me', 'on', '>s3cret', '~*', '&*', '+@all', '-@scripting')
  t.teardown(() => server.stop())
  const app = await bareApp(t, { redis: { url: `redis://me:s3cret@127.0.0.1:${server.port}` } })
  await app.register(rateLimit, { named: [three] })
  app.get('/', { config: { rateLimit: 'three' } }, served)
  await until('it is known', () => /^it refuses scripts/.test(app.respite.link.reason ?? ''))
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
  t.match(await app.respite.health.report(), { status: 'degraded', redis: { state: 'degraded', reason: /^it refuses scripts: NOPERM/ }, parts: { ratelimit: { status: 'degraded', memoryKeys: 1 } } })
})
