import { startRedis, until } from '@respite/testing'
import t from 'tap'
import type { Exceeded, OnExceeded } from '../../src/index.ts'
import { linkedApp, makeApp, seriesOf, served, statuses } from '../app.ts'

const shadow = { name: 'shadow', limit: 2, per: '1m', shadow: true } as const
const decisions = 'rate_limit_decisions_total'

t.test('a limit in shadow mode refuses nobody and writes no headers; it counts and reports, in memory and in Redis', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
    const seen: [Exceeded, string | undefined][] = []
    const options = { limits: [{ ...shadow, ...more, name: `shadow${Object.keys(more)}` }], onExceeded: ((what, request) => { seen.push([what, request?.url]) }) as OnExceeded }
    const { app: embedded } = await makeApp(t, options)
    embedded.get('/', served)
    for (const app of [embedded, await linkedApp(t, options, { url: server.url }, app => { app.get('/', served) })]) {
      seen.length = 0
      for (let i = 0; i < 5; i++) {
        const { statusCode, headers } = await app.inject('/')
        t.equal(statusCode, 200)
        t.same(Object.keys(headers).filter(name => /ratelimit|retry/.test(name)), [])
      }
      const { name } = options.limits[0]!
      await until('the last of what nobody waits for', () => seen.length === 3)
      t.match(await seriesOf(app, decisions), { [`${name} GET / allowed`]: 2, [`${name} GET / would_refuse`]: 3 })
      t.same(await seriesOf(app, 'rate_limit_exceeded_total'), {})
      t.same(app.rateLimit.top(), [])
      t.match(seen[0], [{ shadow: true, limits: [{ name, limit: 2, windowMs: 60_000, key: 'key' in more ? 'k' : '127.0.0.1' }] }, '/'])
    }
  }
})

t.test('it decides for no other limit, and is not charged when another refuses', async t => {
  const { app } = await makeApp(t, { limits: [shadow, { ...shadow, name: 'other', limit: 0 }, { name: 'real', limit: 1, per: '1m' }] })
  app.get('/', served)
  const response = await app.inject('/')
  t.equal(response.headers['x-ratelimit-limit'], '1', 'the headers are of the one that refuses')
  t.same(await statuses(app, 3, '/'), [429, 429, 429])
  t.equal((await app.rateLimit.peek('shadow', '127.0.0.1')).remaining, 1)
  t.equal((await app.inject('/')).json().violations.length, 1)
})

t.test('it is never the reason for a 503', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await linkedApp(t, { limits: [{ ...shadow, onStoreError: 'closed' }], timeoutMs: 50 }, { url: server.url }, app => { app.get('/', served) })
  await server.stop()
  t.equal((await app.inject('/')).statusCode, 200)
  await until('its answer', async () => (await seriesOf(app, decisions))['shadow GET / unchecked'] === 1)
})

t.test('it counts by outcome too', async t => {
  const { app } = await makeApp(t, { limits: [{ ...shadow, count: 'failures' }] })
  app.get('/', served)
  app.get('/fails', async (_, reply) => reply.code(401).send('no'))
  await statuses(app, 5, '/')
  await statuses(app, 3, '/fails')
  const all = await seriesOf(app, decisions)
  t.equal(all['shadow GET / would_refuse'], undefined)
  t.equal(all['shadow GET /fails would_refuse'], 1)
})
