import FakeTimers from '@sinonjs/fake-timers'
import { once } from 'node:events'
import { type AddressInfo, connect } from 'node:net'
import { startRedis, until } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { LimitOptions } from '../../src/index.ts'
import { linkedApp, makeApp, seriesOf, served, statuses } from '../app.ts'

const slow: LimitOptions = { name: 'slow', limit: 1, per: '30s', delay: { max: '1m', waiting: 2 } }
const waiting = async (app: FastifyInstance) => (await seriesOf(app, 'rate_limit_waiting'))['']
/** As `until`, where timers stand still. */
async function untilWaiting (app: FastifyInstance, count: number): Promise<void> {
  while (await waiting(app) !== count) await new Promise(setImmediate)
}

const portOf = (app: FastifyInstance) => (app.server.address() as AddressInfo).port

for (const [kind, options] of Object.entries({ address: {}, user: { by: 'user' }, key: { key: () => 'k' } } as Record<string, Partial<LimitOptions>>)) {
  t.test(`a request that a limit by ${kind} refuses waits and is served, its headers tell what is left then; one too many gets a 429`, async t => {
    const { app, clock } = await makeApp(t, { limits: [{ ...slow, ...options }] })
    app.get('/', served)
    await app.ready()
    const timers = FakeTimers.install({ toFake: ['setTimeout', 'clearTimeout'] })
    t.teardown(() => timers.uninstall())
    t.equal((await app.inject('/')).statusCode, 200)
    const answers = [app.inject('/'), app.inject('/')]
    await untilWaiting(app, 2)
    t.equal((await app.inject('/')).statusCode, 429)
    for (const answer of answers) {
      clock.nowMs += 30_000
      timers.tick(30_000)
      const { statusCode, headers } = await answer
      t.equal(statusCode, 200)
      t.match(headers, { 'x-ratelimit-remaining': '0', 'retry-after': undefined })
    }
    t.equal(await waiting(app), 0)
    t.same(await seriesOf(app, 'rate_limit_delayed_total'), { slow: 2 })
    t.match(await seriesOf(app, 'rate_limit_decisions_total'), { 'slow GET / allowed': 3, 'slow GET / refused': 1 })
  })
}

t.test('who waits is asked for under the limit as it is then: a lower one holds for them too, a higher one lets them go sooner', async t => {
  const named = [{ name: 'wide', rate: '60/m', burst: 2, delay: { max: '1m' } }] as const
  for (const [change, allowed, told] of [[{ limit: 6 }, 2, '6'], [{ limit: 600 }, 5, '600']] as const) {
    const { app, clock } = await makeApp(t, { named, headers: ['draft'] })
    app.get('/', { config: { rateLimit: 'wide' } }, served)
    await app.ready()
    const timers = FakeTimers.install({ toFake: ['setTimeout', 'clearTimeout'] })
    t.same(await statuses(app, 2, '/'), [200, 200])
    const policies: unknown[] = []
    for (let i = 0; i < 5; i++) app.inject('/').then(({ headers }) => { policies.push(headers['ratelimit-policy']) }, t.error)
    await untilWaiting(app, 5)
    await app.rateLimit.setLimit('wide', change)
    for (let step = 0; step < 35; step++) {
      clock.nowMs += 100
      timers.tick(100)
      for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
    }
    timers.uninstall()
    t.equal(5 - ((await waiting(app)) as number), allowed)
    t.same(new Set(policies), new Set([`"wide";q=${told};w=60`]))
    await app.close()
  }
})

t.test('a client that goes away frees its place, and what its other limits have charged', async t => {
  const { app } = await makeApp(t, { limits: [slow, { name: 'user', limit: 10, per: '1h', by: 'user' }] })
  app.get('/', served)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const left = async () => (await app.rateLimit.peek('user', 'ada')).remaining
  t.equal((await app.inject({ url: '/', headers: { 'x-user': 'ada' } })).statusCode, 200)
  const sockets = [connect(portOf(app), '127.0.0.1'), connect(portOf(app), '127.0.0.1')]
  for (const socket of sockets) {
    await once(socket, 'connect')
    socket.write('GET / HTTP/1.1\r\nHost: here\r\nX-User: ada\r\n\r\n')
  }
  await until('both to wait', async () => await waiting(app) === 2)
  t.equal(await left(), 7)
  sockets[0]!.destroy()
  await until('its place to be free', async () => await waiting(app) === 1)
  await until('its charge to be given back', async () => await left() === 8)
  sockets[1]!.destroy()
  await until('the other to be gone', async () => await waiting(app) === 0)
  await until('all to be given back', async () => await left() === 9)
})

t.test('no body is read while a request waits, and none of who is refused', async t => {
  const { app } = await makeApp(t, { limits: [{ ...slow, delay: { max: '1m', waiting: 1 } }] })
  let parsed = 0
  app.addContentTypeParser('text/x', (_, payload, done) => {
    parsed++
    payload.resume()
    done(null, undefined)
  })
  app.post('/', served)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const post = { method: 'POST', url: '/', headers: { 'content-type': 'text/x' }, payload: 'x' } as const
  t.equal((await app.inject(post)).statusCode, 200)
  const held = app.inject(post)
  await until('it to wait', async () => await waiting(app) === 1)
  t.equal((await app.inject(post)).statusCode, 429)
  t.equal(parsed, 1)
  await app.close()
  t.equal((await held).statusCode, 429)
})

t.test('a close answers who waits at once', async t => {
  const { app } = await makeApp(t, { limits: [slow] })
  app.get('/', served)
  await app.listen({ port: 0, host: '127.0.0.1' })
  const ask = () => fetch(`http://127.0.0.1:${portOf(app)}/`)
  t.equal((await ask()).status, 200)
  const held = [ask(), ask()]
  await until('both to wait', async () => await waiting(app) === 2)
  const closed = app.close()
  for (const response of await Promise.all(held)) {
    t.equal(response.status, 429)
    t.equal(response.headers.get('retry-after'), '30')
    t.match(await response.json(), { violated: 'slow' })
  }
  await closed
})

t.test('over Redis, in real time: all are served, and never more than the limit in a window', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, { limits: [{ name: 'two', limit: 2, per: '200ms', delay: { max: '1m' } }] }, { url: server.url }, app => app.get('/', served))
  t.same((await Promise.all(Array.from({ length: 9 }, () => app.inject('/')))).map(({ statusCode }) => statusCode), new Array(9).fill(200))
  t.equal((await seriesOf(app, 'rate_limit_delayed_total')).two, 7)
})

t.test('a limit in shadow mode lets nobody wait, and a call by hand is answered at once', async t => {
  const { app } = await makeApp(t, { limits: [{ ...slow, shadow: true }], named: [{ ...slow, name: 'call' }] })
  app.get('/', served)
  t.same(await statuses(app, 3, '/'), [200, 200, 200])
  await app.rateLimit.take('call', 'k')
  t.match(await app.rateLimit.take('call', 'k'), { allowed: false, retryAfterMs: 30_000 })
  t.equal(await waiting(app), 0)
})

t.test('delays out of bounds, and those that contradict another option, fail the boot', async t => {
  for (const [options, message] of [
    [{ delay: { max: 0 } }, /'limits\[0\]\.delay\.max'.*at least 1 ms.*got 0/],
    [{ delay: { max: '2m' } }, /'limits\[0\]\.delay\.max'.*at most 60000 ms.*got '2m'/],
    [{ delay: {} }, /'limits\[0\]\.delay\.max' is missing/],
    [{ delay: { max: '1s', waiting: 0 } }, /'limits\[0\]\.delay\.waiting' must be >= 1, got 0/],
    [{ delay: { max: '1s', waiting: 10_001 } }, /'limits\[0\]\.delay\.waiting' must be <= 10000, got 10001/],
    [{ delay: '1s' }, /'limits\[0\]\.delay' must be object/],
    [{ ban: { after: 1, for: '1m' } }, /limit 'slow': has both 'delay' and 'ban'/],
    [{ algorithm: 'concurrency', per: undefined }, /limit 'slow': 'delay' belongs to limits with a window/]
  ] as const) await t.rejects(makeApp(t, { limits: [{ ...slow, ...options } as never] }), { message }, JSON.stringify(options))
})

t.test('who was refused for headroom, waited and was served counts as no refusal', async t => {
  const { app, clock } = await makeApp(t, { limits: [{ name: 'ten', limit: 10, per: '10s', algorithm: 'fixed-window', delay: { max: '1s' } }], load: { shedAt: 0.5, measure: () => 0.75 } })
  app.get('/', served)
  await app.ready()
  const timers = FakeTimers.install({ toFake: ['setTimeout', 'clearTimeout'] })
  t.teardown(() => timers.uninstall())
  t.same(await statuses(app, 5, '/'), [200, 200, 200, 200, 200])
  clock.nowMs += 9_500
  const answer = app.inject('/')
  await untilWaiting(app, 1)
  clock.nowMs += 500
  timers.tick(500)
  t.equal((await answer).statusCode, 200)
  t.same(await seriesOf(app, 'rate_limit_shed_total'), {})
})
