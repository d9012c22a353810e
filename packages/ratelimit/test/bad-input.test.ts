import t from 'tap'
import type { LimitOptions, RateLimitOptions } from '../src/index.ts'
import { makeApp, served, statuses } from './app.ts'

const minute = { name: 'bad', limit: 2, per: '1m' } as const
const hour = 3_600_000

for (const [what, options, message] of [
  ['a limit below 0', { limits: [{ ...minute, limit: -1 }] }, /'limits\[0\]\.limit' must be >= 0, got -1/],
  ['a limit of 2^53', { limits: [{ ...minute, limit: 2 ** 53 }] }, /'limits\[0\]\.limit' must be <= 1000000000, got 9007199254740992/],
  ['a limit that is no number', { limits: [{ ...minute, limit: NaN }] }, /'limits\[0\]\.limit' must be integer, got NaN/],
  ['a window of nothing', { limits: [{ ...minute, per: 0 }] }, /'limits\[0\]\.per'.*at least 1 ms.*got 0/],
  ['a window of 400 days', { limits: [{ ...minute, per: '400d' }] }, /'limits\[0\]\.per'.*at most 31622400000 ms.*got '400d'/],
  ['a rate over 400 days', { limits: [{ name: 'bad', rate: '1/400d' }] }, /'rate' must be at most 1000000000 in 1 ms to 366 days, got '1\/400d'/],
  ['a deadline of a minute', { timeoutMs: '1m' }, /'timeoutMs'.*at most 10000 ms.*got '1m'/],
  ['a memory of ten keys', { maxKeys: 10 }, /'maxKeys' must be >= 1000, got 10/],
  ['an address that is none', { allow: ['10.0.0.0/33'] }, /'allow\[0\]' must be an address or a CIDR range, got '10\.0\.0\.0\/33'/],
  ['an option that is unknown', { max: 100 }, /'max' is unknown, got 100/],
  ['limits that are no list', { limits: minute }, /'limits' must be array/],
  ['two limits of one name', { limits: [minute, { ...minute, limit: 3 }] }, /limit 'bad' is 2 per 1 min .*, and cannot also be 3 per 1 min .*: give one of them another name/],
  ['two limits of one name, one of them for calls', { limits: [minute], named: [{ ...minute, per: '2m' }] }, /limit 'bad' is .*, and cannot also be 2 per 2 min/]
] as const) {
  t.test(`${what} fails the boot, which names it`, async t => {
    await t.rejects(makeApp(t, options as unknown as RateLimitOptions), { message })
  })
}

t.test('a key function that throws, or returns an object or NaN, is a 500 that names the limit and not the value; nothing is charged and no handler runs', async t => {
  const { app } = await makeApp(t)
  let handled = 0
  const handler = async () => { handled++ }
  const secret = { token: 'secret-of-ada' }
  app.get('/throws', { config: { rateLimit: { ...minute, key: () => { throw new TypeError('no tenant') } } } }, handler)
  app.get('/object', { config: { rateLimit: { ...minute, key: () => secret as never } } }, handler)
  // All for whom a header names no number would share one count.
  app.get('/nan', { config: { rateLimit: { ...minute, name: 'tenant', key: request => Number(request.headers['x-tenant']) } } }, handler)
  for (let i = 0; i < 3; i++) t.match((await app.inject('/throws')).json(), { statusCode: 500, message: 'no tenant' })
  for (let i = 0; i < 3; i++) {
    const { statusCode, body } = await app.inject('/object')
    t.equal(statusCode, 500)
    t.match(body, /the key for limit 'bad' must be a string or a number, got a value of type object/)
    t.notMatch(body, /secret/)
  }
  t.match((await app.inject('/nan')).json(), { statusCode: 500, message: "the key for limit 'tenant' must be a string or a number, got a value of type NaN" })
  t.equal(handled, 0)
})

t.test('a key function that returns undefined counts the address', async t => {
  const { app } = await makeApp(t)
  app.get('/', { config: { rateLimit: { ...minute, key: () => undefined } } }, served)
  t.same(await statuses(app, 3, { url: '/', remoteAddress: '192.0.2.1' }), [200, 200, 429])
  t.same(await statuses(app, 1, { url: '/', remoteAddress: '192.0.2.2' }), [200])
})

t.test('keys of 64 KB are counted as others are, by their last character too', async t => {
  const { app } = await makeApp(t)
  const long = 'k'.repeat(65_536)
  app.get<{ Querystring: { end: string } }>('/', { config: { rateLimit: { ...minute, key: request => long + (request.query as { end: string }).end } } }, served)
  t.same(await statuses(app, 3, '/?end=a'), [200, 200, 429])
  t.same(await statuses(app, 3, '/?end=b'), [200, 200, 429])
  t.ok(app.rateLimit.top(2).every(({ key }) => key.length <= 257), 'and are shown cut')
})

for (const algorithm of ['fixed-window', 'sliding-log', 'sliding-counter', 'gcra'] as const) {
  const of = (options: Partial<LimitOptions>): LimitOptions => ({ ...minute, algorithm, ...options })

  if (algorithm !== 'gcra') {
    t.test(`${algorithm}: a limit of 0 refuses all, without a time to come again`, async t => {
      const { app } = await makeApp(t, { limits: [of({ limit: 0 })] })
      const { statusCode, headers } = await app.inject('/')
      t.equal(statusCode, 429)
      t.equal(headers['retry-after'], undefined)
    })
  }

  t.test(`${algorithm}: a limit of 1 admits one, and the next when it says`, async t => {
    const { app, clock } = await makeApp(t, { limits: [of({ limit: 1 })] })
    app.get('/', served)
    t.same(await statuses(app, 2, '/'), [200, 429])
    clock.nowMs += Number((await app.inject('/')).headers['retry-after']) * 1_000
    t.same(await statuses(app, 2, '/'), [200, 429])
  })

  t.test(`${algorithm}: a window of 1 ms ends after it, or two`, async t => {
    const { app, clock } = await makeApp(t, { limits: [of({ limit: 1, per: 1 })] })
    app.get('/', served)
    t.same(await statuses(app, 2, '/'), [200, 429])
    // The counters count a unit for a sub-window longer, which is a whole ms here.
    clock.nowMs += algorithm === 'sliding-counter' ? 16 : 1
    t.same(await statuses(app, 2, '/'), [200, 429])
  })

  t.test(`${algorithm}: a window of 366 days holds for as long`, async t => {
    const { app, clock } = await makeApp(t, { limits: [of({ limit: 1, per: '366d' })] })
    app.get('/', served)
    t.equal((await app.inject('/')).statusCode, 200)
    clock.nowMs += 366 * 24 * hour - 1
    const { statusCode, headers } = await app.inject('/')
    t.equal(statusCode, 429)
    const waitS = Number(headers['retry-after'])
    t.ok(waitS >= 1 && waitS <= 366 * 86_400 / 15 + 1, `${waitS} s`)
    clock.nowMs += waitS * 1_000
    t.equal((await app.inject('/')).statusCode, 200)
  })
}

t.test('X-Forwarded-For that is forged, doubled, malformed or of 10 KB: the client is whom the trusted proxy has met, and nothing fails', async t => {
  const { app } = await makeApp(t, { limits: [{ ...minute, limit: 1_000 }] }, { redis: { embedded: true, clientIp: { trust: ['10.0.0.0/8'] } } })
  app.get('/', served)
  const left = async (header: string | string[], remoteAddress = '10.0.0.1') => {
    const { statusCode, headers } = await app.inject({ url: '/', remoteAddress, headers: { 'x-forwarded-for': header as string } })
    t.equal(statusCode, 200)
    return Number(headers['x-ratelimit-remaining'])
  }
  const client = '203.0.113.9'
  t.equal(await left(client), 999)
  const same: (string | string[])[] = [
    `198.51.100.1, ${client}`, `127.0.0.1, ${client}, 10.0.0.2`, ['198.51.100.1', client], ` ,,${client}`, `<script>, ${client}`,
    `${client}, ${client}`, `${'198.51.100.2, '.repeat(750)}${client}`, `${'x'.repeat(10_240)}, ${client}`
  ]
  for (const [i, header] of same.entries()) t.equal(await left(header), 998 - i, String(header).slice(0, 40))
  t.equal(await left(client, '192.0.2.50'), 999, 'who is no proxy is itself, whatever it writes')
  t.equal(await left('198.51.100.7', '192.0.2.50'), 998)
})
