import { hash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { randomToken } from '@respite/redis'
import { gate, until } from '@respite/testing'
import { stateOf, withRoutes } from '../route/two-apps.ts'

/** What cached routes do for the clients of two apps over one store. */
export function routeContract (t: Test, name: string, make: (keyPrefix: string) => Promise<FastifyInstance>): void {
  const pair = (t: Test, routes: (app: FastifyInstance) => void) => withRoutes(t, () => make(keyPrefix), routes)
  let keyPrefix = ''
  t.beforeEach(() => { keyPrefix = `r${randomToken()}`.replace(/\W/g, '') })

  t.test(`${name}: what one has filled the other has, by one question a hit, and in its own process with none`, async t => {
    let runs = 0
    const [here, there] = await pair(t, app => {
      app.get('/', { config: { cache: { ttl: '1h' } } }, async (_, reply) => reply.header('x-own', 'ü').type('text/plain; charset=utf-8').send(`run ${++runs}`))
    })
    const first = await here.get('/')
    t.strictSame([first.state, first.body], ['MISS', 'run 1'])
    there.app.respite.invalidations.hold('test', true)
    await until('it is stored', async () => await there.get('/').then(({ state }) => state === 'HIT' || runs > 1))
    const before = there.app.cache.stats().hits
    const hit = await there.get('/')
    t.strictSame([hit.state, hit.body, hit.headers['x-own'], hit.headers['content-type'], hit.headers['etag']], ['HIT', 'run 1', 'ü', 'text/plain; charset=utf-8', first.headers['etag']])
    t.equal((await there.get('/', { 'if-none-match': first.headers['etag']! })).status, 304)
    t.strictSame(there.app.cache.stats().hits, { l1: before.l1, l2: before.l2 + 2 })
    there.app.respite.invalidations.hold('test', false)
    await until('a local copy is there', async () => await there.get('/').then(() => there.app.cache.stats().hits.l1 > 0))
    const { l2 } = there.app.cache.stats().hits
    t.equal((await there.get('/')).body, 'run 1')
    t.strictSame([there.app.cache.stats().hits.l2, runs], [l2, 1])
  })

  t.test(`${name}: bytes and streams are what they were`, async t => {
    const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => i % 256))
    const [here, there] = await pair(t, app => {
      app.get('/bytes', { config: { cache: { ttl: '1h' } } }, async (_, reply) => reply.type('image/png').send(bytes))
      app.get('/stream', { config: { cache: { ttl: '1h' } } }, async (_, reply) => reply.type('image/png').send(Readable.from([bytes.subarray(0, 7), bytes.subarray(7)])))
    })
    for (const url of ['/bytes', '/stream']) {
      t.ok((await here.get(url)).bytes.equals(bytes), url)
      await until('it is stored', async () => (await there.get(url)).state === 'HIT')
      for (const app of [there, here, there, here]) {
        const { state, bytes: got, headers } = await app.get(url)
        t.strictSame([state, got.equals(bytes), headers['content-type'], headers['content-length']], ['HIT', true, 'image/png', '70000'], url)
      }
    }
  })

  t.test(`${name}: of requests that miss at once in both, one handler runs`, async t => {
    const hold = gate()
    let runs = 0
    const [here, there] = await pair(t, app => {
      app.get('/', { config: { cache: { ttl: '1h' } } }, async () => {
        runs++
        await hold.pass()
        return { runs }
      })
    })
    const all = [here, there].flatMap(app => Array.from({ length: 20 }, () => app.get('/')))
    await hold.reached
    hold.open()
    const answers = await Promise.all(all)
    t.strictSame(new Set(answers.map(({ status, body }) => `${status} ${body}`)), new Set(['200 {"runs":1}']))
    t.equal(answers.filter(({ state }) => state === 'MISS').length, 1)
  })

  t.test(`${name}: an unsafe request in one ends it in the other: through Redis with its answer, in its process with the push`, async t => {
    let row = 1
    const [here, there] = await pair(t, app => {
      app.get('/rows/:id', { config: { cache: { ttl: '1h' } } }, async () => ({ row }))
      app.put('/rows/:id', async () => ({ row: ++row }))
    })
    await stateOf(there, '/rows/1', 'HIT')
    there.app.respite.invalidations.hold('test', true)
    await here.app.inject({ method: 'PUT', url: '/rows/1' })
    const next = await there.get('/rows/1')
    t.strictSame([next.state, next.body], ['MISS', '{"row":2}'])
    there.app.respite.invalidations.hold('test', false)
    await until('a local copy is there', async () => { await there.get('/rows/1'); return there.app.cache.stats().hits.l1 > 0 })
    await here.app.inject({ method: 'PUT', url: '/rows/1' })
    t.equal((await here.get('/rows/1')).body, '{"row":3}', 'at once where it was asked for')
    await until('the push has come', async () => (await there.get('/rows/1')).body === '{"row":3}')
  })

  t.test(`${name}: R1: an answer that was being made when another app's unsafe request was answered is not stored`, async t => {
    const hold = gate()
    let row = 'v1'
    const [here, there] = await pair(t, app => {
      app.get('/row', { config: { cache: { ttl: '1h' } } }, async () => {
        const loaded = row
        await hold.pass()
        return { loaded }
      })
      app.put('/row', async () => { row = 'v2'; return {} })
    })
    const old = here.get('/row')
    await hold.reached
    await there.app.inject({ method: 'PUT', url: '/row' })
    const asked = there.get('/row')
    hold.open()
    t.equal((await old).body, '{"loaded":"v1"}', 'who began before may have it')
    t.equal((await asked).body, '{"loaded":"v2"}')
    for (const app of [here, there]) t.equal((await app.get('/row')).body, '{"loaded":"v2"}')
  })

  t.test(`${name}: R2: groups are known from the first run on, and end everywhere`, async t => {
    let runs = 0
    const [here, there] = await pair(t, app => {
      app.get('/a', { config: { cache: { ttl: '1h', tags: ['declared'] } } }, async (_, reply) => { reply.header('cache-groups', '"g", "h"'); return { runs: ++runs } })
      app.post('/edit', async (_, reply) => { reply.header('cache-group-invalidation', '"h"'); return {} })
    })
    await here.get('/a')
    await stateOf(there, '/a', 'HIT')
    t.equal(runs, 1, 'stored the first time')
    const http = here.app.cache.namespace('http')
    for (const end of [() => here.app.inject({ method: 'POST', url: '/edit' }), () => http.invalidateTags('g'), () => http.invalidateTags('declared'), () => http.clear(), () => http.deletePattern('GET /a?*')]) {
      const before = runs
      await end()
      await until('it has ended', async () => { await there.get('/a'); return runs === before + 1 })
      await stateOf(there, '/a', 'HIT')
      t.equal(runs, before + 1)
    }
  })

  t.test(`${name}: RFC 5861: what is stale is given by both, while one handler of the two refreshes it`, async t => {
    let hold = gate()
    hold.open()
    let runs = 0
    const [here, there] = await pair(t, app => {
      app.get('/', { config: { cache: { ttl: '1h', swr: '1h', varyBy: () => 'all' } } }, async (request, reply) => {
        runs++
        await hold.pass()
        reply.header('etag', '"v1"')
        return request.headers['if-none-match'] === '"v1"' ? reply.code(304).send() : 'body'
      })
    })
    await stateOf(there, '/', 'HIT')
    hold = gate()
    await here.app.cache.namespace('http').expire(`GET /? ["/","http://localhost:80",${hash('sha256', '"all"', 'base64url')}]`)
    await until('the push has come', async () => (await there.get('/')).state === 'STALE')
    const stale = await Promise.all(Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? here : there).get('/')))
    for (const { state, body } of stale) t.strictSame([state, body], ['STALE', 'body'])
    await hold.reached
    hold.open()
    for (const app of [here, there]) await stateOf(app, '/', 'HIT')
    t.strictSame([runs, (await there.get('/')).body], [2, 'body'], 'confirmed by a 304')
  })
}
