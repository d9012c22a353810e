import { gate, until } from '@respite/testing'
import redis from '@respite/redis'
import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import tracking, { type SeriesOptions, type TrackingOptions, type WindowOptions, type Who } from '../src/index.ts'
import { logLines } from './log-lines.ts'

async function embedded (t: Test, options: object = {}, logger: object | false = false): Promise<FastifyInstance> {
  const app = Fastify({ logger: logger as false })
  t.teardown(() => app.close())
  await app.register(redis)
  await app.register(tracking, options as TrackingOptions)
  return app
}

async function dropped (app: FastifyInstance): Promise<number> {
  const found = (await app.respite.metrics.read()).find(({ name }) => name === 'tracking_dropped_total')!
  let sum = 0
  for (const [, series] of found.entries()) sum += (series as { value: number }).value
  return sum
}

const long = 'a secret of enough characters'

for (const [what, options, message] of [
  ['an option that is unknown', { salt: 'x' }, /'salt' is unknown/],
  ['a key that is too short', { key: 'short' }, /'key' .*got a string of 5 characters/],
  ['a key that is no text', { key: 7 }, /'key' must be string, got a value of type number/],
  ['previous keys that are no list', { key: long, previousKeys: long }, /'previousKeys' must be array/],
  ['a previous key that is too short', { key: long, previousKeys: ['short'] }, /'previousKeys\[0\]' .*got a string of 5 characters/],
  ['eight previous keys', { key: long, previousKeys: Array.from({ length: 8 }, (_, i) => long + i) }, /'previousKeys' must NOT have more than 7 items/],
  ['a previous key that is the present one', { key: long, previousKeys: [long] }, /'previousKeys\[0\]' must differ from option 'key'.*got a string of 29 characters/],
  ['a previous key that is there twice', { key: long, previousKeys: [long + 1, long + 2, long + 1] }, /'previousKeys\[2\]' must differ/],
  ['a who that is no function', { who: 'me' }, /'who' must be of type function, got 'me'/],
  ['a flush interval of nothing', { flushEveryMs: 0 }, /'flushEveryMs'.*at least 1 ms.*got 0/],
  ['a buffer of NaN', { maxBuffered: NaN }, /'maxBuffered' must be integer, got NaN/],
  ['a buffer of 2^53', { maxBuffered: 2 ** 53 }, /'maxBuffered' must be <= 10000000/],
  ['no metrics at all', { maxMetrics: 0 }, /'maxMetrics' must be >= 1, got 0/],
  ['a form of ids that is unknown', { ids: 'hashed' }, /'ids' must be one of 'encrypted', 'plain', got 'hashed'/],
  ['a top list of one', { topCapacity: 1 }, /'topCapacity' must be >= 16, got 1/],
  ['a zone that is none', { zones: ['Mars/Olympus'] }, /'zones\[0\]' must be a time zone.*'Mars\/Olympus'/],
  ['a zone that is no text', { zones: [7] }, /'zones\[0\]' must be string, got 7/],
  ['a zone that is there twice', { zones: ['UTC', 'UTC'] }, /'zones' must NOT have duplicate items/],
  ['days kept for a week', { keepDaysMs: '7d' }, /'keepDaysMs'.*at least 2678400000 ms.*got '7d'/],
  ['a time that is no time', { keepHoursMs: 'long' }, /'keepHoursMs' must be milliseconds or a duration such as '90s'.*got 'long'/]
] as const) {
  t.test(`${what} fails the boot, which names it and tells no key`, async t => {
    const app = Fastify()
    app.register(redis)
    app.register(tracking, options as unknown as TrackingOptions)
    const error = await app.ready().then(() => undefined, (error: Error & { code: string }) => error)
    t.equal(error?.code, 'FST_RSP_OPTION_INVALID')
    t.match(error?.message, message)
    t.notMatch(error?.message, /enough/)
    await app.close()
  })
}

t.test('whoever is nobody is not counted, but counted as dropped, and the request is not harmed', async t => {
  const { lines, stream } = logLines()
  const app = await embedded(t, { flushEveryMs: 1 }, { level: 'warn', stream })
  const whos: Record<string, Who> = {
    undefined: () => undefined,
    null: () => null,
    empty: () => '',
    nan: () => Number.NaN,
    infinite: () => Infinity,
    object: () => ({ id: 'secret-7' }) as never,
    array: () => ['secret-7'] as never,
    boolean: () => true as never,
    symbol: () => Symbol('secret-7') as never,
    throws: () => { throw new TypeError('no secret-7') },
    throwsNothing: () => { throw undefined as unknown as Error }, // eslint-disable-line no-throw-literal
    rejects: async () => { throw new TypeError('no secret-7') },
    resolvesToNobody: async () => undefined
  }
  for (const [name, who] of Object.entries(whos)) app.get(`/${name}`, { config: { track: { metric: 'm', who } } }, async () => ({}))
  for (const name of Object.keys(whos)) t.equal((await app.inject(`/${name}`)).statusCode, 200, name)
  await until('all to be dropped', async () => await dropped(app) === Object.keys(whos).length)
  t.equal(await app.tracking.calls('m'), 0)
  t.equal(lines.filter(line => line.includes('who failed')).length, 3, 'of each route that failed once')
  t.notMatch(lines.join(''), /secret-7/)
})

t.test('a who that takes its time is counted when it knows; of those that never do a thousand are awaited', async t => {
  const app = await embedded(t)
  const known = gate()
  app.get('/late', { config: { track: { metric: 'late', who: async () => { await known.pass(); return 'alice' } } } }, async () => ({}))
  app.get('/never', { config: { track: { metric: 'never', who: () => new Promise(() => {}) } } }, async () => ({}))
  t.equal((await app.inject('/late')).statusCode, 200)
  await known.reached
  t.equal(await app.tracking.calls('late'), 0)
  known.open()
  await until('the call', async () => await app.tracking.calls('late') === 1)
  t.same((await app.tracking.top('late')).map(({ id }) => id), ['alice'])
  for (let i = 0; i < 1_003; i++) t.equal((await app.inject('/never')).statusCode, 200)
  await until('those beyond to be dropped', async () => await dropped(app) === 3)
})

// Seen: a thousand promises that one route left open stopped the counts of all routes, for good.
t.test('a route whose who never answers holds up no other, nor its own callers who are known at once; a refused promise may fail', async t => {
  const app = await embedded(t)
  const failed = gate()
  let mode: 'hangs' | 'fails' | 'knows' = 'hangs'
  const who: Who = () => mode === 'knows' ? 'alice' : mode === 'hangs' ? new Promise(() => {}) : failed.pass().then(() => { throw new TypeError('no secret-7') })
  app.get('/hangs', { config: { track: { metric: 'hangs', who } } }, async () => ({}))
  app.get('/other', { config: { track: { metric: 'other', who: async () => 'bob' } } }, async () => ({}))
  app.get('/plain', { config: { track: { metric: 'plain', who: () => 'carol' } } }, async () => ({}))
  for (let i = 0; i < 1_000; i++) await app.inject('/hangs')
  mode = 'fails'
  await app.inject('/hangs')
  await failed.reached
  failed.open()
  mode = 'knows'
  for (const url of ['/hangs', '/other', '/plain']) await app.inject(url)
  for (const metric of ['hangs', 'other', 'plain']) await until(`the call of ${metric}`, async () => await app.tracking.calls(metric) === 1)
  t.equal(await dropped(app), 1)
})

t.test('a name that is none is refused by every call, at once and by its beginning alone', async t => {
  const app = await embedded(t)
  const { tracking } = app
  for (const name of ['', 'x'.repeat(1_024), 'ü'.repeat(65), '\uD800', 7, undefined, null, {}, Symbol('m')] as string[]) {
    const refused = { code: 'FST_RSP_TRACKING_METRIC_INVALID', message: /^the name of a metric must be text of 1 to 128 bytes, got .{0,100}$/ }
    t.throws(() => tracking.observe(name, 'alice'), refused)
    t.throws(() => tracking.unique(name), refused)
    await t.rejects(tracking.top(name), refused)
    await t.rejects(tracking.calls(name), refused)
    await t.rejects(tracking.active({ metrics: [name] }), refused)
  }
  t.equal(tracking.buffered, 0)
})

t.test('a window that cannot be answered is refused by every question, which says what is kept', async t => {
  const { tracking } = await embedded(t, { keepMinutesMs: '2h' })
  const now = Date.now()
  const [hour, day] = [3_600_000, 86_400_000]
  for (const [options, message] of [
    [{ since: new Date(now - hour), until: new Date(now - 2 * hour) }, /ends before it starts/],
    [{ since: new Date(now - hour), until: new Date(now - hour) }, /ends before it starts/],
    [{ since: 0 }, /ends before it starts/],
    [{ since: new Date(now + hour) }, /lies in the future/],
    [{ since: '1h', until: new Date(now + hour) }, /lies in the future/],
    [{ since: '401d' }, /begins before what is kept/],
    [{ since: new Date(now - 500 * day), until: new Date(now - 450 * day) }, /begins before what is kept/],
    [{ since: new Date(NaN) }, /no valid date/],
    [{ until: 'now' }, /no valid date/],
    [{ until: now }, /no valid date/],
    [{ until: null }, /no valid date/]
  ] as [WindowOptions, RegExp][]) {
    for (const ask of [() => tracking.unique('m').count(options), () => tracking.unique('m').series({ by: 'day', ...options }), () => tracking.top('m', options), () => tracking.calls('m', options)]) {
      const error = await ask().then(() => undefined, (error: Error & { code: string, statusCode: number }) => error)
      t.match(error, { code: 'FST_RSP_TRACKING_WINDOW', statusCode: 400, message })
      t.match(error?.message, /kept are minutes for 2 hours, hours for 3 days, days for 400 days$/)
    }
  }
  for (const since of ['-1d', 'yesterday', -5, NaN, {}, null] as '1d'[]) {
    await t.rejects(tracking.unique('m').count({ since }), { code: 'FST_RSP_DURATION_INVALID', message: /since/ })
  }
})

t.test('a series by what is not counted is refused, by its name', async t => {
  const { tracking } = await embedded(t, { zones: ['Europe/Paris'] })
  const refused = (options: object, code: string, message: RegExp) => t.rejects(tracking.unique('m').series(options as SeriesOptions), { code, message })
  await refused({ by: 'day', tz: 'Mars/Olympus' }, 'FST_RSP_TRACKING_ZONE', /no days of zone 'Mars\/Olympus'.*option 'zones', Europe\/Paris/)
  await refused({ by: 'day', tz: 'Asia/Tokyo' }, 'FST_RSP_TRACKING_ZONE', /option 'zones'/)
  await refused({ by: 'day', tz: 'x'.repeat(10_000) }, 'FST_RSP_TRACKING_ZONE', /^.{0,300}$/)
  await refused({ by: 'day', tz: null }, 'FST_RSP_TRACKING_ZONE', /zone 'null'/)
  await refused({ by: 'minute', tz: 'Europe/Paris' }, 'FST_RSP_TRACKING_ZONE', /no minutes/)
  for (const by of ['week', 'toString', '', undefined, 7]) await refused({ by }, 'FST_RSP_TRACKING_BY_INVALID', /'by' must be/)
})

t.test('k out of its bounds is refused', async t => {
  const { tracking } = await embedded(t)
  for (const k of [0, -1, 1.5, 10_001, NaN, Infinity, '3', null] as number[]) await t.rejects(tracking.top('m', { k }), { code: 'FST_RSP_TRACKING_K_INVALID', message: /1 to 10000/ })
})

t.test('whom to export or erase must be somebody, and no error tells who', async t => {
  const { tracking } = await embedded(t)
  for (const who of ['', undefined, null, NaN, {}, ['secret-7'], Symbol('secret-7')] as string[]) {
    for (const call of [() => tracking.export(who), () => tracking.erase(who)]) {
      const error = await call().then(() => undefined, (error: Error & { code: string }) => error)
      t.equal(error?.code, 'FST_RSP_TRACKING_ID_INVALID')
      t.notMatch(error?.message, /secret-7/)
    }
  }
})
