import { startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { linkedApp, makeApp, seriesOf, served, statuses } from './app.ts'

const named = [
  { name: 'ip', limit: 3, per: '1m' }, { name: 'rate', rate: '60/m', burst: 5 }, { name: 'busy', algorithm: 'concurrency', limit: 1 },
  { name: 'key', limit: 2, per: '1h', key: () => 'k' }
] as const

const server = await startRedis()
const asker = new Redis(server.port)
t.teardown(async () => {
  asker.disconnect()
  await server.stop()
})
let prefixes = 0
const options = () => ({ url: server.url, keyPrefix: `s${prefixes++}` })

t.test('setLimit changes a limit for routes and calls, and keeps what was counted', async t => {
  const { app, clock } = await makeApp(t, { named, headers: ['x-ratelimit', 'draft'] })
  app.get('/', { config: { rateLimit: 'ip' } }, served)
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
  await app.rateLimit.setLimit('ip', { limit: 5 })
  const { headers } = await app.inject('/')
  t.match(headers, { 'x-ratelimit-limit': '5', 'x-ratelimit-remaining': '1', 'ratelimit-policy': '"ip";q=5;w=60' })
  t.same(await statuses(app, 2, '/'), [200, 429])
  await app.rateLimit.setLimit('ip', { limit: 4, per: '2m' })
  clock.nowMs += 30_000
  t.match((await app.inject('/')).json(), { message: /^Rate limit 'ip' of 4 per 2 min exceeded, retry in 90 s$/, violations: [{ limit: 4, windowMs: 120_000 }] })
  t.match(await app.rateLimit.peek('ip', '127.0.0.1'), { limit: 4, remaining: 0 })
  await app.rateLimit.setLimit('ip', null)
  t.equal((await app.inject('/')).statusCode, 429)
  clock.nowMs += 30_000
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429], 'back to what the code says')
})

t.test('a limit that was 0 for a while counts on from where it was', async t => {
  const named = (['fixed-window', 'sliding-log', 'sliding-counter', 'concurrency'] as const)
    .map(algorithm => ({ name: algorithm, algorithm, limit: 5, ...(algorithm !== 'concurrency' && { per: '1h' as const }) }))
  for (const app of [(await makeApp(t, { named })).app, await linkedApp(t, { named }, options())]) {
    for (const { name } of named) {
      const first = await app.rateLimit.take(name, 'k')
      for (let i = 0; i < 2; i++) await app.rateLimit.take(name, 'k')
      await app.rateLimit.setLimit(name, { limit: 0 })
      t.match(await app.rateLimit.take(name, 'k'), { allowed: false, remaining: 0, retryAfterMs: Infinity }, name)
      await app.rateLimit.setLimit(name, null)
      t.match(await app.rateLimit.peek(name, 'k'), { allowed: true, remaining: 2 }, name)
      await app.rateLimit.setLimit(name, { limit: 0 })
      await app.rateLimit.refund(name, 'k', first)
      await app.rateLimit.setLimit(name, null)
      t.match(await app.rateLimit.peek(name, 'k'), { allowed: true, remaining: 3 }, `${name}: what is given back meanwhile is given back`)
    }
  }
})

t.test('a burst stays, goes with its limit, or is set; slots of a concurrency limit stay held', async t => {
  const { app } = await makeApp(t, { named: [...named, { name: 'even', limit: 10, per: '1m', algorithm: 'gcra' }] })
  const limitOf = async (name: string) => (await app.rateLimit.peek(name, 'x')).limit
  await app.rateLimit.setLimit('rate', { limit: 120 })
  t.equal(await limitOf('rate'), 5)
  await app.rateLimit.setLimit('rate', { burst: 7 })
  t.equal(await limitOf('rate'), 7)
  await app.rateLimit.setLimit('even', { limit: 20 })
  t.equal(await limitOf('even'), 20)
  const held = await app.rateLimit.take('busy', 'k')
  await app.rateLimit.setLimit('busy', { limit: 2 })
  t.match(await app.rateLimit.take('busy', 'k'), { allowed: true, limit: 2, remaining: 0 })
  await app.rateLimit.refund('busy', 'k', held)
  t.match(await app.rateLimit.peek('busy', 'k'), { remaining: 1 })
})

t.test('a change is checked like an option, and a wrong one changes nothing', async t => {
  const { app } = await makeApp(t, { named })
  const { setLimit, stats } = app.rateLimit
  const before = stats()
  for (const [name, change, message] of [
    ['ip', { limit: -1 }, /limit.*-1/], ['ip', { limit: 1.5 }, /limit.*1\.5/], ['ip', { per: '400d' }, /per.*400d/], ['ip', { limti: 5 }, /limti/],
    ['ip', {}, "limit 'ip': setLimit needs 'limit', 'per' or 'burst'"], ['ip', { burst: 3 }, "limit 'ip': 'burst' belongs to gcra, not to sliding-log"],
    ['ip', { limit: 10_001 }, /at most 10000, got 10001/], ['rate', { limit: 0 }, /gcra needs a limit of 1 or more/],
    ['busy', { limit: 1_001 }, /at most 1000, got 1001/], ['busy', { per: '1m' }, /concurrency counts what is in flight/]
  ] as [string, object, RegExp | string][]) await t.rejects(setLimit(name, change), { code: /^FST_RSP_(OPTION_INVALID|RATELIMIT_LIMIT_INVALID)$/, message }, JSON.stringify(change))
  for (const change of [undefined, 5, 'x', []]) await t.rejects(setLimit('ip', change as object), { code: /^FST_RSP_/ }, String(change))
  await t.rejects(setLimit('pi', { limit: 5 }), { code: 'FST_RSP_RATELIMIT_UNKNOWN' })
  t.same(stats(), before)
})

t.test('a change holds in every process, in those that start later, and after a restart, until it is taken back', async t => {
  const link = options()
  const [app, other] = [await linkedApp(t, { named }, link), await linkedApp(t, { named }, link)]
  await app.rateLimit.take('key', 'k')
  await app.rateLimit.setLimit('key', { limit: 10 })
  t.match(await app.rateLimit.peek('key', 'k'), { limit: 10, remaining: 9 }, 'at once where it was made')
  await until('the other to know', async () => (await other.rateLimit.peek('key', 'k')).limit === 10)
  t.equal((await other.rateLimit.peek('key', 'k')).remaining, 9)
  const late = await linkedApp(t, { named }, link)
  await until('who comes later to know', async () => (await late.rateLimit.peek('key', 'k')).limit === 10)
  const ttl = await asker.pttl(`${link.keyPrefix}:v1:limit-change:{changes}:key`)
  t.ok(ttl > 86_000_000 && ttl <= 86_400_000, `${ttl} ms`)
  await late.rateLimit.setLimit('key', null)
  for (const one of [app, other, late]) await until('all to be back', async () => (await one.rateLimit.peek('key', 'k')).limit === 2)
  t.equal(await asker.exists(`${link.keyPrefix}:v1:limit-change:{changes}:key`), 0)
})

t.test('who has missed a message learns of the change when Redis is back; one that does not fit is ignored', async t => {
  const own = await startRedis()
  t.teardown(() => own.stop())
  const app = await linkedApp(t, { named }, { url: own.url, deadlineMs: 2_000 })
  await own.kill()
  await until('the link to know', () => app.respite.link.state === 'down')
  await t.rejects(app.rateLimit.setLimit('ip', { limit: 9 }), { code: /^FST_RSP_REDIS_/ })
  t.equal(app.rateLimit.stats().limits[0]!.limit, 3, 'what Redis has not taken has not happened')
  await own.restart()
  const writer = new Redis(own.port)
  t.teardown(() => writer.disconnect())
  for (const [name, text] of [['ip', '{"limit":7,"per":60000}'], ['rate', '{"limit":-7}'], ['busy', 'no json'], ['key', '{"limit":7,"__proto__":{"x":1}}']] as const) {
    await writer.set(`respite:v1:limit-change:{changes}:${name}`, text, 'PX', 60_000)
  }
  await app.respite.bus.publish('ratelimit.limits', 'ip').catch(() => {})
  await until('the change to be known', () => app.rateLimit.stats().limits[0]!.limit === 7, 30_000)
  t.same(app.rateLimit.stats().limits.map(({ name, limit, changed }) => [name, limit, changed]), [['ip', 7, true], ['rate', 60, false], ['busy', 1, false], ['key', 2, false]])
})

t.test('block refuses a key everywhere, for requests and calls, until it ends or is ended', async t => {
  const link = options()
  const [app, other] = [await linkedApp(t, { named }, link, app => app.get('/', { config: { rateLimit: 'ip' } }, served)), await linkedApp(t, { named }, link)]
  await other.rateLimit.block('ip', '127.0.0.1', '10m')
  const response = await app.inject('/')
  t.equal(response.statusCode, 429)
  t.ok(Number(response.headers['retry-after']) > 500 && Number(response.headers['retry-after']) <= 600, String(response.headers['retry-after']))
  t.match(await other.rateLimit.take('ip', '127.0.0.1'), { allowed: false, violated: 'ip', remaining: 0 })
  t.match(await other.rateLimit.take('ip', '127.0.0.2'), { allowed: true })
  await app.rateLimit.unblock('ip', '127.0.0.1')
  t.same(await statuses(app, 4, '/'), [200, 200, 200, 429])
  t.same(await seriesOf(other, 'rate_limit_blocks_total'), { ip: 1 })
})

t.test('a block without a limit, a key or a time that is one is an error, and blocks nobody', async t => {
  const { app } = await makeApp(t, { named })
  const { block, unblock, peek } = app.rateLimit
  await t.rejects(block('pi', 'a', '1m'), { code: 'FST_RSP_RATELIMIT_UNKNOWN' })
  await t.rejects(unblock('pi', 'a'), { code: 'FST_RSP_RATELIMIT_UNKNOWN' })
  await t.rejects(block('ip', {} as string, '1m'), { code: 'FST_RSP_RATELIMIT_KEY_INVALID' })
  for (const duration of [0, -1, NaN, '1 minute', '400d', undefined, null]) {
    await t.rejects(block('ip', 'a', duration as number), { code: 'FST_RSP_OPTION_INVALID', message: /duration/ }, String(duration))
  }
  t.match(await peek('ip', 'a'), { allowed: true, remaining: 3 })
})

t.test('stats tells of each limit what it is now, and what was decided by requests and by hand', async t => {
  const { app } = await makeApp(t, { named })
  app.get('/', { config: { rateLimit: 'ip' } }, served)
  await statuses(app, 5, '/')
  await app.rateLimit.take('ip', 'x')
  await app.rateLimit.take('busy', 'k')
  await app.rateLimit.setLimit('rate', { limit: 30 })
  const none = { changed: false, allowed: 0, refused: 0, wouldRefuse: 0, unchecked: 0, unavailable: 0, slotsHeld: 0 }
  t.same(app.rateLimit.stats(), {
    limits: [
      { ...none, name: 'ip', algorithm: 'sliding-log', limit: 3, windowMs: 60_000, burst: 3, allowed: 4, refused: 2 },
      { ...none, name: 'rate', algorithm: 'gcra', limit: 30, windowMs: 60_000, burst: 5, changed: true },
      { ...none, name: 'busy', algorithm: 'concurrency', limit: 1, windowMs: 30_000, burst: 1, allowed: 1, slotsHeld: 1 },
      { ...none, name: 'key', algorithm: 'sliding-log', limit: 2, windowMs: 3_600_000, burst: 2 }
    ],
    memoryKeys: 3,
    storeErrors: 0
  })
})
