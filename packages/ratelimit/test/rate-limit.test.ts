import { inspect } from 'node:util'
import { startRedis } from '@respite/testing'
import t from 'tap'
import { linkedApp, makeApp, served, statuses } from './app.ts'

const sms = { name: 'sms', limit: 5, per: '1h', key: () => 'whoever', cost: 2 } as const
const named = [sms, { name: 'ip', limit: 2, per: '1m' }, { name: 'user', limit: 2, per: '1m', by: 'user' }] as const

t.test('take charges and says what it did: room, cost, time, and who has decided', async t => {
  const { app, clock } = await makeApp(t, { named })
  t.same(await app.rateLimit.take('sms', '+49 30 1', { cost: 1 }), {
    allowed: true, limit: 5, remaining: 4, resetMs: 3_600_000, retryAfterMs: 0, violated: undefined, cost: 1, atMs: clock.nowMs, by: 'store'
  })
  clock.nowMs += 1_000
  t.match(await app.rateLimit.take('sms', '+49 30 1'), { allowed: true, remaining: 2, cost: 2 }, 'the cost of the limit where none is given')
  clock.nowMs += 1_000
  t.same(await app.rateLimit.take('sms', '+49 30 1', { cost: 3 }), {
    allowed: false, limit: 5, remaining: 2, resetMs: 3_599_000, retryAfterMs: 3_598_000, violated: 'sms', cost: 3, atMs: clock.nowMs, by: 'store'
  })
  t.match(await app.rateLimit.take('sms', '+49 30 1', { cost: 6 }), { allowed: false, remaining: 2, retryAfterMs: Infinity })
  t.match(await app.rateLimit.take('sms', 4930, { cost: 5 }), { allowed: true, remaining: 0 }, 'of another key')
  t.match(await app.rateLimit.take('sms', '4930', { cost: 1 }), { allowed: false, remaining: 0 }, 'a number and its text are one')
})

t.test('peek says what take would and charges nothing; refund and reset give back', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const { app: embedded } = await makeApp(t, { named })
  for (const app of [embedded, await linkedApp(t, { named }, { url: server.url })]) {
    const { take, peek, refund, reset } = app.rateLimit
    for (let i = 0; i < 3; i++) t.match(await peek('sms', 'a', { cost: 5 }), { allowed: true, remaining: 5, violated: undefined })
    const first = await take('sms', 'a')
    const second = await take('sms', 'a', { cost: 3 })
    const refused = await take('sms', 'a', { cost: 1 })
    t.match(await peek('sms', 'a'), { allowed: false, remaining: 0, violated: 'sms' })
    await refund('sms', 'a', refused)
    t.equal((await peek('sms', 'a')).remaining, 0, 'what was refused has charged nothing')
    await refund('sms', 'b', second)
    t.equal((await peek('sms', 'a')).remaining, 0, 'of another key')
    await refund('sms', 'a', second)
    t.equal((await peek('sms', 'a')).remaining, 3)
    await refund('sms', 'a', first)
    t.equal((await peek('sms', 'a')).remaining, 5)
    await take('sms', 'a', { cost: 5 })
    await reset('sms', 'a')
    t.match(await peek('sms', 'a'), { remaining: 5, resetMs: 0 })
    await reset('sms', 'never seen')
  }
})

t.test('by hand and by request the same is counted: an address, a user\'s public name, a key', async t => {
  const { app } = await makeApp(t, { named })
  app.get('/ip', { config: { rateLimit: 'ip' } }, served)
  app.get('/user', { config: { rateLimit: 'user' } }, served)
  app.get('/sms', { config: { rateLimit: 'sms' } }, served)
  const from = { remoteAddress: '192.0.2.1', headers: { 'x-user': 'ada' } }
  for (const [url, name, key] of [['/ip', 'ip', '192.0.2.1'], ['/user', 'user', 'ada'], ['/sms', 'sms', 'whoever']] as const) {
    t.same(await statuses(app, 3, { ...from, url }), [200, 200, 429])
    t.equal((await app.rateLimit.take(name, key)).allowed, false)
    await app.rateLimit.reset(name, key)
    t.equal((await app.inject({ ...from, url })).statusCode, 200)
  }
})

t.test('takes of one key at once are decided one after the other', async t => {
  const { app } = await makeApp(t, { named })
  const all = await Promise.all(Array.from({ length: 20 }, () => app.rateLimit.take('sms', 'a', { cost: 1 })))
  t.equal(all.filter(({ allowed }) => allowed).length, 5)
})

t.test('an unknown limit, a cost that is none and a key that is none are errors, and charge nothing', async t => {
  const { app } = await makeApp(t, { named })
  const { take, peek, refund, reset } = app.rateLimit
  const decision = await take('sms', 'a', { cost: 1 })
  for (const call of [() => take('smss', 'a'), () => peek('smss', 'a'), () => refund('smss', 'a', decision), () => reset('smss', 'a')]) {
    await t.rejects(async () => { await call() }, { code: 'FST_RSP_RATELIMIT_UNKNOWN', message: "there is no limit 'smss'" })
  }
  for (const cost of [0, -1, 1.5, NaN, Infinity, 1_000_000_001, '1'] as number[]) {
    const expected = { code: 'FST_RSP_RATELIMIT_COST_INVALID', message: /^the cost for limit 'sms' must be a whole number from 1 to 1000000000, got / }
    for (const call of [take, peek]) await t.rejects(call('sms', 'a', { cost }), expected, String(cost))
  }
  for (const [key, type] of [[undefined, 'undefined'], [null, 'null'], [{}, 'object'], [true, 'boolean'], [Symbol('s'), 'symbol']] as const) {
    const expected = { code: 'FST_RSP_RATELIMIT_KEY_INVALID', message: `the key for limit 'sms' must be a string or a number, got a value of type ${type}` }
    for (const call of [() => take('sms', key as string), () => peek('sms', key as string), () => refund('sms', key as string, decision), () => reset('sms', key as string)]) {
      await t.rejects(async () => { await call() }, expected, type)
    }
  }
  t.equal((await peek('sms', 'a')).remaining, 4)
})

t.test('top tells who was refused most, by requests and by hand, the most often refused first', async t => {
  const { app } = await makeApp(t, { named })
  app.get('/ip', { config: { rateLimit: 'ip' } }, served)
  app.get('/sms', { config: { rateLimit: 'sms' } }, served)
  t.same(app.rateLimit.top(), [])
  await statuses(app, 6, { url: '/ip', remoteAddress: '192.0.2.1' })
  await statuses(app, 2, { url: '/ip', remoteAddress: '192.0.2.2' })
  await statuses(app, 3, { url: '/ip', remoteAddress: '192.0.2.3' })
  await statuses(app, 4, '/sms')
  await app.rateLimit.take('sms', 'whoever')
  await app.rateLimit.peek('sms', 'whoever')
  const expected = [
    { limit: 'ip', key: '192.0.2.1', refused: 4, maxOver: 0 },
    { limit: 'sms', key: 'whoever', refused: 3, maxOver: 0 },
    { limit: 'ip', key: '192.0.2.3', refused: 1, maxOver: 0 }
  ]
  t.same(app.rateLimit.top(), expected)
  t.same(app.rateLimit.top(1), expected.slice(0, 1))
})

t.test('top of what is no number of callers is an error, which names it', async t => {
  const { app } = await makeApp(t, { named })
  for (const k of [-1, 1.5, NaN, 1_001, '1'] as number[]) t.throws(() => app.rateLimit.top(k), { code: 'FST_RSP_OPTION_INVALID', message: new RegExp(`'k' must be .*, got ${inspect(k)}`) }, inspect(k))
  t.same(app.rateLimit.top(0), [])
})
