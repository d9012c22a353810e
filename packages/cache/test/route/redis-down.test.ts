import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { freePort, gate, startProxy, startRedis, until } from '@respite/testing'
import { assemble } from '../assemble.ts'
import { type AskedApp, stateOf, withRoutes } from './two-apps.ts'

const deadlineMs = 200
/** Far from it, on a machine that is busy with other things. */
const inTimeMs = 20 * deadlineMs

/** A Redis of its own, and two apps over it with one row. */
async function withRow (t: Test) {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const source = { row: 1, runs: 0, hold: undefined as ReturnType<typeof gate> | undefined }
  const make = () => assemble({ url: server.url, boot: 'wait', deadlineMs }, { lease: '1s' })
  const [here, there] = await withRoutes(t, make, app => {
    app.get('/row', { config: { cache: { ttl: '1h', swr: '1h', staleIfError: '1h' } } }, async () => {
      source.runs++
      const { row } = source
      await source.hold?.pass()
      return { row }
    })
    app.put('/row', async () => ({ row: ++source.row }))
  })
  return { server, source, here, there }
}

/** The slowest of several requests at once, all of which were answered well. */
async function slowestMs (t: Test, apps: readonly AskedApp[], body: string): Promise<number> {
  const times = await Promise.all(apps.flatMap(app => Array.from({ length: 10 }, async () => {
    const startedAt = performance.now()
    const answer = await app.get('/row')
    t.strictSame([answer.status, answer.body], [200, body])
    return performance.now() - startedAt
  })))
  return Math.max(...times)
}

/** The same for a client who wants nothing that is not confirmed. */
async function confirmedMs (t: Test, { get }: AskedApp): Promise<number> {
  const startedAt = performance.now()
  t.equal((await get('/row', { 'cache-control': 'no-cache' })).status, 200)
  return performance.now() - startedAt
}

const armed = ({ app }: AskedApp) => app.cache.stats().local

t.test('Redis is killed while a handler runs: whoever asked is answered; back again its answers are stored', async t => {
  const { server, source, here, there } = await withRow(t)
  source.hold = gate()
  const asked = [here, there].flatMap(app => Array.from({ length: 10 }, () => app.get('/row')))
  await source.hold.reached
  await server.kill()
  source.hold.open()
  for (const { status, body } of await Promise.all(asked)) t.strictSame([status, body], [200, '{"row":1}'])
  await server.restart()
  for (const app of [here, there]) await stateOf(app, '/row', 'HIT')
})

t.test('Redis is killed while a stored answer is asked for: the handler answers', async t => {
  const { server, source, here, there } = await withRow(t)
  await stateOf(there, '/row', 'HIT')
  // Frozen, so that the question is under way when it is killed.
  for (const { app } of [here, there]) app.respite.invalidations.hold('test', true)
  server.freeze()
  source.row = 2
  const asked = Array.from({ length: 10 }, (_, i) => (i % 2 === 0 ? here : there).get('/row'))
  await server.kill()
  for (const { status, body, state } of await Promise.all(asked)) t.strictSame([status, body], [200, '{"row":2}'], state)
  await server.restart()
  for (const { app } of [here, there]) app.respite.invalidations.hold('test', false)
  for (const app of [here, there]) await stateOf(app, '/row', 'HIT')
})

t.test('Redis is killed: what lies in the process is given until the loss is noticed, and no request fails', async t => {
  const { server, here } = await withRow(t)
  await until('a local copy is there', async () => { await here.get('/row'); return here.app.cache.stats().hits.l1 > 0 })
  const killed = server.kill()
  const states = new Set<string>()
  await until('it is noticed', async () => {
    const { status, body, state } = await here.get('/row')
    t.strictSame([status, body], [200, '{"row":1}'])
    states.add(state)
    return !armed(here)
  })
  await killed
  t.equal((await here.get('/row')).state, 'MISS', [...states].join())
})

t.test('Redis is frozen: requests are answered within its deadline, safe and unsafe, and what was changed meanwhile is not forgotten', async t => {
  const { server, here, there } = await withRow(t)
  await stateOf(there, '/row', 'HIT')
  server.freeze()
  const startedAt = performance.now()
  const put = await here.app.inject({ method: 'PUT', url: '/row' })
  t.equal(put.statusCode, 200)
  t.ok(performance.now() - startedAt < inTimeMs)
  t.ok(here.app.cache.stats().queued > 0)
  t.equal((await here.get('/row')).body, '{"row":2}', 'at once where it was changed')
  await until('the loss is noticed', () => !armed(there))
  for (let i = 0; i < 3; i++) {
    const ms = await slowestMs(t, [here, there], '{"row":2}')
    t.ok(ms < inTimeMs, `${ms} ms`)
  }
  const fills: unknown[] = []
  here.app.cache.on('fill', fill => { fills.push(fill) })
  t.ok(await confirmedMs(t, here) < inTimeMs)
  t.strictSame(fills, [], 'not asked a second time')
  t.equal((await here.get('/row', { 'cache-control': 'only-if-cached' })).status, 504, 'nothing is known to be stored')
  server.thaw()
  await until('what was queued is drained, and local copies are in use', () => armed(here) && armed(there) && here.app.cache.stats().queued === 0)
  for (const app of [here, there]) await stateOf(app, '/row', 'HIT')
  t.equal((await there.get('/row')).body, '{"row":2}')
})

t.test('Redis freezes while a handler runs: its answer is not held up, and the others are answered within the deadline', async t => {
  const { server, source, here, there } = await withRow(t)
  source.hold = gate()
  const first = here.get('/row')
  await source.hold.reached
  server.freeze()
  const others = slowestMs(t, [here, there], '{"row":1}')
  source.hold.open()
  t.strictSame([(await first).status, (await first).state], [200, 'MISS'])
  t.ok(await others < inTimeMs)
  server.thaw()
  for (const app of [here, there]) await stateOf(app, '/row', 'HIT')
})

t.test('Redis freezes while a stale answer is refreshed: it was given before, and what comes after is answered', async t => {
  const { server, source, here } = await withRow(t)
  await stateOf(here, '/row', 'HIT')
  const hold = source.hold = gate()
  await here.app.cache.namespace('http').expire('GET /row? ["/row","http://localhost:80"]')
  t.equal((await here.get('/row')).state, 'STALE')
  await hold.reached
  server.freeze()
  hold.open()
  t.ok(await slowestMs(t, [here], '{"row":1}') < inTimeMs)
  server.thaw()
  await stateOf(here, '/row', 'HIT')
})

t.test('the connection is cut in the middle of answers: every request is answered, and the next ones are hits', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  let runs = 0
  const make = () => assemble({ url: `redis://127.0.0.1:${proxy.port}`, boot: 'wait', deadlineMs: 2_000 }, { lease: '1s' })
  const [here, there] = await withRoutes(t, make, app => { app.get('/:id', { config: { cache: { ttl: '1h' } } }, async request => { runs++; return request.params }) })
  for (let round = 0; round < 5; round++) {
    proxy.replyDelayMs = 20
    const asked = Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? here : there).get(`/${i % 10}`))
    await until('handlers run', () => runs > 0)
    proxy.cut()
    for (const { status } of await Promise.all(asked)) t.equal(status, 200)
    proxy.replyDelayMs = 0
    runs = 0
    await here.app.cache.namespace('http').clear()
  }
  await Promise.all([here, there].map(app => stateOf(app, '/1', 'HIT')))
})

t.test('at the default boot the first requests may come before the first connection: they are answered, and stored from when it is there', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  // What is seen on a server far away: the first connection takes its time.
  proxy.replyDelayMs = 100
  const app: FastifyInstance = await assemble({ url: `redis://127.0.0.1:${proxy.port}` })
  t.teardown(() => app.close())
  let runs = 0
  app.get('/', { config: { cache: { ttl: '1h' } } }, async () => ({ runs: ++runs }))
  await app.ready()
  const get = async () => (await app.inject('/')).headers['x-cache']
  t.not(app.respite.link.state, 'up')
  t.strictSame([await get(), runs], ['MISS', 1], 'not waited for')
  proxy.replyDelayMs = 0
  await until('the link is up', () => app.respite.link.state === 'up')
  const before = runs
  t.strictSame([await get(), await get(), await get(), runs], ['MISS', 'HIT', 'HIT', before + 1])
})

t.test('a Redis that was never there is no failure of a route', async t => {
  const app = await assemble({ url: `redis://127.0.0.1:${await freePort()}`, deadlineMs })
  t.teardown(() => app.close())
  app.get('/', { config: { cache: { ttl: '1h', swr: '1h' } } }, async () => ({}))
  app.put('/', async () => ({}))
  await app.ready()
  for (const method of ['GET', 'HEAD', 'PUT', 'GET'] as const) t.equal((await app.inject({ method, url: '/' })).statusCode, 200, method)
})
