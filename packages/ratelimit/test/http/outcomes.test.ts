import { startRedis, until } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { CountIf, LimitOptions } from '../../src/index.ts'
import { linkedApp, makeApp, statuses } from '../app.ts'

const login = { name: 'login', limit: 3, per: '1m', count: 'failures' } as const

/** Answers with the status that is asked for. */
const routes = (limit: LimitOptions) => (app: FastifyInstance) => {
  app.get('/', { config: { rateLimit: limit } }, async (request, reply) => reply.code(Number(request.headers['x-status'] ?? 200)).send('answered'))
}
/** A promise and the way to resolve it. */
function opening () {
  let resolve!: () => void
  const promise = new Promise<void>(_resolve => { resolve = _resolve })
  return { promise, resolve }
}

const ask = (status: number) => ({ url: '/', headers: { 'x-status': String(status) } })

t.test('only failures count, or only successes, by address, by user and by key, in memory and in Redis', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const cases = [['failures', 200, 401], ['failures', 302, 500], ['successes', 404, 201]] as const
  for (const [count, free, counted] of cases) {
    for (const more of [{}, { by: 'user' }, { key: () => 'k' }] as const) {
      const limit = { ...login, ...more, count, name: `${count}${free}${Object.keys(more)}` }
      const { app: embedded } = await makeApp(t)
      routes(limit)(embedded)
      for (const app of [embedded, await linkedApp(t, {}, { url: server.url }, routes(limit))]) {
        t.same(await statuses(app, 5, ask(free)), Array(5).fill(free))
        t.same(await statuses(app, 4, ask(counted)), [counted, counted, counted, 429])
        t.equal((await app.inject(ask(free))).statusCode, 429, 'who has failed enough cannot try again')
      }
    }
  }
})

t.test('of a burst of failures no more than the limit are let in, since each is charged at its start', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  let started = 0
  const gate = opening()
  const app = await linkedApp(t, {}, { url: server.url }, app => {
    app.get('/', { config: { rateLimit: login } }, async (_, reply) => {
      started++
      await gate.promise
      return reply.code(401).send('wrong')
    })
  })
  const refusals: number[] = []
  const all = Promise.all(Array.from({ length: 50 }, async () => {
    const { statusCode } = await app.inject('/')
    if (statusCode === 429) refusals.push(statusCode)
    return statusCode
  }))
  await until('the rest to be refused', () => refusals.length === 47)
  t.equal(started, 3)
  gate.resolve()
  t.equal((await all).filter(status => status === 401).length, 3)
})

t.test('countIf sees request and answer, later too; one that fails counts, and breaks nothing', async t => {
  const answers: [CountIf, remaining: number][] = [
    [(request, reply) => request.url === '/' && reply.statusCode === 200, 2],
    [() => false, 3],
    [async () => { await new Promise(setImmediate); return false }, 3],
    [() => { throw new TypeError('broken') }, 2],
    [async () => { throw new TypeError('broken') }, 2],
    [(() => undefined) as unknown as CountIf, 2]
  ]
  for (const [countIf, remaining] of answers) {
    const { app } = await makeApp(t)
    const asked = opening()
    const { count, ...limit } = login
    routes({ ...limit, countIf: async (request, reply) => { setImmediate(() => setImmediate(asked.resolve)); return countIf(request, reply) } })(app)
    t.equal((await app.inject('/')).statusCode, 200)
    await asked.promise
    await new Promise(setImmediate)
    t.equal((await app.rateLimit.peek('login', '127.0.0.1')).remaining, remaining)
  }
})

t.test('what a later limit refuses is given back once, whatever its outcome', async t => {
  const { app } = await makeApp(t)
  app.get('/', { config: { rateLimit: [login, { name: 'key', limit: 1, per: '1m', key: () => 'k' }] } }, async (_, reply) => reply.code(401).send('wrong'))
  t.same(await statuses(app, 4, '/'), [401, 429, 429, 429])
  t.equal((await app.rateLimit.peek('login', '127.0.0.1')).remaining, 2)
})

t.test('who leaves before the answer stays charged', async t => {
  const { app } = await makeApp(t)
  const entered = opening()
  const left = opening()
  app.get('/', { config: { rateLimit: { ...login, countIf: undefined } } }, async (request, reply) => {
    entered.resolve()
    request.raw.socket.once('close', () => left.resolve())
    await left.promise
    return reply.send('too late')
  })
  await app.listen({ port: 0 })
  const leaving = new AbortController()
  const asked = fetch(app.listeningOrigin, { signal: leaving.signal })
  await entered.promise
  leaving.abort()
  await t.rejects(asked)
  await left.promise
  await new Promise(setImmediate)
  t.equal((await app.rateLimit.peek('login', '127.0.0.1')).remaining, 2)
})

t.test('count and countIf exclude each other, and are checked', async t => {
  await t.rejects(makeApp(t, { limits: [{ ...login, countIf: () => true }] }), { code: 'FST_RSP_RATELIMIT_LIMIT_INVALID', message: /has both 'count' and 'countIf'/ })
  await t.rejects(makeApp(t, { limits: [{ ...login, count: 'errors' as 'failures' }] }), { message: /'limits\[0\]\.count' must be one of 'failures', 'successes', got 'errors'/ })
  for (const more of [{ count: 'failures' }, { countIf: () => true }, { shadow: true }] as const) {
    await t.rejects(makeApp(t, { limits: [{ name: 'slots', limit: 1, algorithm: 'concurrency', ...more }] }), { code: 'FST_RSP_RATELIMIT_LIMIT_INVALID', message: /belongs to limits with a window, not to concurrency/ })
  }
})
