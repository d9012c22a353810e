import { startRedis, until } from '@respite/testing'
import t from 'tap'
import { Load } from '../src/load.ts'
import { bareApp, linkedApp, makeApp, seriesOf, served, statuses } from './app.ts'
import { fakeClock } from './clock.ts'
import rateLimit from '../src/index.ts'

const minute = { per: '1m' } as const
const ten = { name: 'ten', limit: 10, ...minute }
const busy = { at: 0 }
const measure = () => busy.at
t.beforeEach(() => { busy.at = 0 })

t.test('above shedAt a limit keeps units free, in proportion to the load; below it admits all', async t => {
  const { app, clock } = await makeApp(t, { limits: [ten], load: { shedAt: 0.5, measure } })
  app.get('/', served)
  const admits = async (load: number) => {
    clock.nowMs += 70_000
    busy.at = load
    return (await statuses(app, 12, '/')).filter(status => status === 200).length
  }
  for (const [load, units] of [[0, 10], [0.5, 10], [0.51, 9], [0.55, 9], [0.75, 5], [0.95, 1], [1, 1], [7, 1], [-1, 10]] as const) t.equal(await admits(load), units, String(load))
})

t.test('a refusal for headroom says so, tells no budget that it keeps, and who waits as it says is admitted', async t => {
  const { app, clock } = await makeApp(t, { limits: [{ ...ten, algorithm: 'fixed-window' }], load: { shedAt: 0.5, measure } })
  app.get('/', served)
  await statuses(app, 4, '/')
  busy.at = 0.8
  clock.nowMs += 1_000
  const refused = await app.inject('/')
  t.equal(refused.statusCode, 429)
  t.match(refused.json(), { message: "Rate limit 'ten' of 10 per 1 min lowered under load, retry in 59 s", violations: [{ name: 'ten', shed: true }], retryAfter: 59 })
  t.match(refused.headers, { 'x-ratelimit-remaining': '0', 'x-ratelimit-limit': '10' })
  clock.nowMs += 59_000
  t.equal((await app.inject('/')).statusCode, 200)
  busy.at = 0
  clock.nowMs += 1_000
  await statuses(app, 9, '/')
  const full = (await app.inject('/')).json()
  t.match(full, { message: /exceeded/ }, 'who has used all of it is refused as ever')
  t.notOk('shed' in full.violations[0])
})

t.test('when the load is gone the limit is as it was, for all processes at any time', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const options = { named: [ten], load: { shedAt: 0.5 } }
  const calm = await linkedApp(t, { ...options, load: { shedAt: 0.5, measure: () => 0 } }, { url: server.url })
  const hot = await linkedApp(t, { ...options, load: { shedAt: 0.5, measure: () => 1 } }, { url: server.url })
  t.match(await hot.rateLimit.take('ten', 'k'), { allowed: true, remaining: 0 }, 'who has used nothing passes')
  t.match(await hot.rateLimit.take('ten', 'k'), { allowed: false, limit: 10 })
  t.match(await hot.rateLimit.peek('ten', 'k'), { allowed: false, remaining: 0 })
  for (const remaining of [8, 7, 6, 5, 4, 3, 2, 1, 0]) t.match(await calm.rateLimit.take('ten', 'k'), { allowed: true, remaining }, 'the other process sees the whole limit')
  t.match(await calm.rateLimit.take('ten', 'k'), { allowed: false })
})

t.test('a limit has a threshold of its own, or none, and one that says nothing has the app\'s', async t => {
  const { app } = await makeApp(t, { load: { shedAt: 0.9, measure } })
  busy.at = 0.8
  const limits = { app: {}, own: { load: { shedAt: 0.6 } }, none: { load: false } } as const
  for (const [name, options] of Object.entries(limits)) app.get(`/${name}`, { config: { rateLimit: { ...ten, name, ...options } } }, served)
  const admitted = async (name: string) => (await statuses(app, 12, `/${name}`)).filter(status => status === 200).length
  t.same([await admitted('app'), await admitted('own'), await admitted('none')], [10, 5, 10])
  const { app: silent } = await makeApp(t, { limits: [ten], load: { measure: () => 1 } })
  silent.get('/', served)
  t.same(await statuses(silent, 11, '/'), [...new Array(10).fill(200), 429], 'without a threshold nothing is shed')
})

t.test('every algorithm, costs, tiers and limits of what is in flight keep headroom', async t => {
  const { app } = await makeApp(t, { load: { shedAt: 0, measure } })
  busy.at = 0.5
  for (const algorithm of ['fixed-window', 'sliding-log', 'sliding-counter', 'gcra'] as const) app.get(`/${algorithm}`, { config: { rateLimit: { ...ten, name: algorithm, algorithm, cost: 2 } } }, served)
  app.get('/tier', { config: { rateLimit: { ...ten, name: 'tier', limitFor: () => 20 } } }, served)
  for (const url of ['/fixed-window', '/sliding-log', '/sliding-counter', '/gcra']) t.same(await statuses(app, 3, url), [200, 200, 429], url)
  t.same(await statuses(app, 11, '/tier'), [...new Array(10).fill(200), 429])
  app.rateLimit({ name: 'flight', algorithm: 'concurrency', limit: 4 })
  const taken = []
  for (let i = 0; i < 3; i++) taken.push((await app.rateLimit.take('flight', 'k')).allowed)
  t.same(taken, [true, true, false])
})

t.test('a refusal for headroom is no step to a ban', async t => {
  const { app, clock } = await makeApp(t, { limits: [{ ...ten, ban: { after: 2, for: '1h' } }], load: { shedAt: 0.5, measure } })
  app.get('/', served)
  busy.at = 1
  t.same(await statuses(app, 6, '/'), [200, 429, 429, 429, 429, 429])
  busy.at = 0
  clock.nowMs += 1_000
  t.same(await statuses(app, 10, '/'), [...new Array(9).fill(200), 429])
})

t.test('shed refusals and the load are counted; onExceeded is told', async t => {
  const told: unknown[] = []
  const { app, clock } = await makeApp(t, {
    limits: [{ ...ten, limit: 2 }], named: [{ ...ten, name: 'call' }], load: { shedAt: 0.5, measure }, onExceeded: ({ limits }) => { told.push(...limits.map(({ shed }) => shed)) }
  })
  app.get('/', served)
  busy.at = 1
  await statuses(app, 3, '/')
  busy.at = 0.5
  clock.nowMs += 1_000
  await statuses(app, 2, '/')
  t.same(await seriesOf(app, 'rate_limit_shed_total'), { ten: 2 })
  t.same(await seriesOf(app, 'rate_limit_load'), { '': 0.5 })
  t.match(await seriesOf(app, 'rate_limit_exceeded_total'), { 'ten GET /': 3 })
  t.same(told, [true, true, undefined])
})

t.test('while Redis is away headroom is kept of the share of the process', async t => {
  const app = await bareApp(t, { redis: { url: 'redis://127.0.0.1:1' } })
  await app.register(rateLimit, { limits: [ten], load: { shedAt: 0.5, measure } })
  app.get('/', served)
  busy.at = 0.75
  t.same(await statuses(app, 7, '/'), [200, 200, 200, 200, 200, 429, 429])
})

t.test('a refusal of one step of the load is remembered, and holds no longer than the load', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, { named: [ten], load: { shedAt: 0.5, measure } }, { url: server.url })
  busy.at = 0.75
  await until('the load to be looked at', async () => (await seriesOf(app, 'rate_limit_load'))[''] === 0.75)
  for (let i = 0; i < 5; i++) t.equal((await app.rateLimit.take('ten', 'k')).allowed, true)
  t.equal((await app.rateLimit.take('ten', 'k')).allowed, false)
  await server.freeze()
  t.match(await app.rateLimit.take('ten', 'k'), { allowed: false, by: 'store' }, 'without a question')
  await server.thaw()
  busy.at = 0
  await until('the load to be gone', async () => (await app.rateLimit.take('ten', 'k')).allowed)
})

t.test('the load is measured at most twice a second, and what is no number sheds nothing and is told once', async t => {
  const clock = fakeClock()
  const answers: unknown[] = [0.7, 0.9, NaN, '0.9', Promise.resolve(1), undefined]
  const warned: object[] = []
  let asked = 0
  const load = new Load({
    shedAt: 0.5,
    measure: () => {
      if (asked++ < 6) return answers[asked - 1] as number
      throw new TypeError('broken')
    }
  }, { clock, log: { warn: (why: object) => { warned.push(why) } } as never })
  for (let i = 0; i < 100; i++) load.now()
  t.equal(asked, 1)
  t.equal(load.now(), 0.7)
  clock.nowMs += 499
  t.equal(load.now(), 0.7)
  const seen = []
  for (let i = 0; i < 6; i++) {
    clock.nowMs += 500
    seen.push(load.now())
  }
  t.same(seen, [0.9, 0, 0, 0, 0, 0])
  t.equal(load.headroomTenths({ shedAt: undefined }), 0)
  t.equal(warned.length, 1)
})

t.test('by default the load is the utilisation of the event loop', async t => {
  const clock = fakeClock()
  const load = new Load({}, { clock, log: { warn: () => { t.fail() } } })
  load.now()
  // Busy until the loop itself says so: how long that takes is the machine's affair.
  await until('a busy loop to be seen', async () => {
    const ends = process.hrtime.bigint() + 30_000_000n
    while (process.hrtime.bigint() < ends);
    clock.nowMs += 500
    return load.now() > 0.3
  })
  await until('an idle loop to be seen', async () => {
    clock.nowMs += 500
    return load.now() < 0.3
  })
})

t.test('thresholds out of bounds, and measures that are none, fail the boot', async t => {
  for (const [options, message] of [
    [{ load: { shedAt: 1 } }, /'load\.shedAt' must be <= 0\.99, got 1/],
    [{ load: { shedAt: -0.1 } }, /'load\.shedAt' must be >= 0, got -0\.1/],
    [{ load: { shedAt: '0.9' } }, /'load\.shedAt'/],
    [{ load: { measure: 0.5 } }, /'load\.measure'.*function/],
    [{ load: { at: 0.5 } }, /'load\.at' is unknown/],
    [{ load: true }, /'load'/],
    [{ limits: [{ ...ten, load: { shedAt: 2 } }] }, /'limits\[0\]\.load\.shedAt' must be <= 0\.99, got 2/],
    [{ limits: [{ ...ten, load: {} }] }, /shedAt' is missing/],
    [{ limits: [{ ...ten, load: true }] }, /'limits\[0\]\.load'/],
    [{ limits: [{ ...ten, load: { shedAt: 0.5, measure } }] }, /'limits\[0\]\.load\.measure' is unknown/]
  ] as const) await t.rejects(makeApp(t, options as never), { message }, JSON.stringify(options))
})
