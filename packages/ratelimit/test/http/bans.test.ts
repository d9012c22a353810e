import { startRedis } from '@respite/testing'
import t from 'tap'
import type { BannedCaller, LimitOptions, OnBanned } from '../../src/index.ts'
import { linkedApp, makeApp, served, statuses } from '../app.ts'

const limit = { name: 'banning', limit: 1, per: '1m', ban: { after: 2, for: '10m' } } as const

t.test('who is refused too often is banned: the refusal says so and for how long, and onBanned is told once', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
    const seen: [BannedCaller, string | undefined][] = []
    const options = { limits: [{ ...limit, ...more, name: `banning${Object.keys(more)}` }], onBanned: ((banned, request) => { seen.push([banned, request?.url]) }) as OnBanned }
    const { app: embedded } = await makeApp(t, options)
    embedded.get('/', served)
    for (const app of [embedded, await linkedApp(t, options, { url: server.url }, app => { app.get('/', served) })]) {
      seen.length = 0
      t.same(await statuses(app, 2, '/'), [200, 429])
      t.equal(seen.length, 0)
      const began = await app.inject('/')
      t.match(began.json(), { violations: [{ banned: true, retryAfter: 600 }], retryAfter: 600 })
      t.equal(began.headers['retry-after'], '600')
      t.equal(began.headers['x-ratelimit-remaining'], '0')
      t.same(await statuses(app, 3, '/'), [429, 429, 429])
      t.same(seen, [[{ name: options.limits[0]!.name, key: 'key' in more ? 'k' : '127.0.0.1', banMs: 600_000, times: 1, shadow: false }, '/']])
    }
  }
})

t.test('a ban grows, ends, and is lifted by reset', async t => {
  const { app, clock } = await makeApp(t, { limits: [limit] })
  app.get('/', served)
  await statuses(app, 3, '/')
  clock.nowMs += 599_999
  t.equal((await app.inject('/')).statusCode, 429)
  clock.nowMs += 1
  t.same(await statuses(app, 2, '/'), [200, 429])
  t.equal((await app.inject('/')).json().retryAfter, 1_200)
  await app.rateLimit.reset('banning', '127.0.0.1')
  t.equal((await app.inject('/')).statusCode, 200)
})

t.test('calls by hand ban too', async t => {
  const seen: BannedCaller[] = []
  const { app } = await makeApp(t, { named: [{ ...limit, key: () => 'k' }], onBanned: banned => { seen.push(banned) } })
  for (let i = 0; i < 4; i++) await app.rateLimit.take('banning', 'k')
  t.match(await app.rateLimit.peek('banning', 'k'), { allowed: false, remaining: 0, retryAfterMs: 600_000 })
  t.equal(seen.length, 1)
})

t.test('a limit in shadow mode bans nobody, and says whom it would', async t => {
  const seen: BannedCaller[] = []
  const { app } = await makeApp(t, { limits: [{ ...limit, shadow: true }], onBanned: banned => { seen.push(banned) } })
  app.get('/', served)
  t.same(await statuses(app, 5, '/'), [200, 200, 200, 200, 200])
  t.match(seen, [{ name: 'banning', shadow: true }])
  t.equal(seen.length, 1)
})

t.test('what onBanned throws breaks nothing', async t => {
  const { app } = await makeApp(t, { limits: [limit], onBanned: () => { throw new TypeError('broken hook') } })
  app.get('/', served)
  t.same(await statuses(app, 4, '/'), [200, 429, 429, 429])
})

t.test('while the store is away this process bans by itself', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, { limits: [limit], timeoutMs: 50 }, { url: server.url }, app => { app.get('/', served) })
  await server.stop()
  t.same(await statuses(app, 3, '/'), [200, 429, 429])
  t.match((await app.inject('/')).json(), { violations: [{ banned: true }] })
})

t.test('a ban that makes no sense fails the boot', async t => {
  const wrong: [unknown, RegExp][] = [
    [{}, /'limits\[0\]\.ban\.after' is missing/], [{ after: 3 }, /'limits\[0\]\.ban\.for' is missing/], [{ after: 0, for: '1m' }, /ban\.after' must be >= 1, got 0/],
    [{ after: 3, for: '1ms' }, /ban\.for' .*got '1ms'/], [{ after: 3, for: '1m', factor: 0.5 }, /ban\.factor' must be >= 1, got 0.5/], [{ after: 3, for: '1m', until: 1 }, /ban\.until' is unknown/],
    [{ after: 3, for: '1h', max: '1m' }, /'ban.max' of 60000 ms is shorter than 'ban.for' of 3600000 ms/]
  ]
  for (const [ban, message] of wrong) await t.rejects(makeApp(t, { limits: [{ ...limit, ban: ban as LimitOptions['ban'] }] }), { message })
})
