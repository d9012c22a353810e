import t, { type Test } from 'tap'
import type { RouteDrops } from '@respite/invalidator'
import { until } from '@respite/testing'
import { assemble } from './assemble.ts'

async function assembled (t: Test) {
  const app = await assemble()
  t.teardown(() => app.close())
  return app
}

t.test('a route names tags, keys or an entity, at once or in a promise, or nothing', async t => {
  const app = await assembled(t)
  app.invalidator.define('user', { keys: u => [`user:${u.id}`] })
  app.invalidator.define('weather', { strategy: 'ttl' })
  const ways: Record<string, RouteDrops> = {
    tags: () => ['users'],
    keys: () => ({ keys: ['user:1'] }),
    entity: request => ({ entity: 'user', states: [request.params] }),
    later: async () => ['users'],
    nothing: () => undefined,
    ttl: () => ({ entity: 'weather', states: [{ id: 1 }] })
  }
  for (const [way, invalidates] of Object.entries(ways)) app.post(`/${way}/:id`, { config: { invalidates } }, async () => ({}))
  for (const way of Object.keys(ways)) {
    await app.cache.set('user:1', 1, { tags: ['users'] })
    t.equal((await app.inject({ method: 'POST', url: `/${way}/1` })).statusCode, 200)
    t.equal(await app.cache.get('user:1'), way === 'nothing' || way === 'ttl' ? 1 : undefined, way)
  }
})

t.test('only a 2xx of a method that changes something drops', async t => {
  const app = await assembled(t)
  let runs = 0
  app.route({
    method: ['GET', 'POST'],
    url: '/:status',
    config: { invalidates: () => { runs++; return ['t'] } },
    handler: async (request, reply) => reply.code(Number((request.params as { status: string }).status)).send('x')
  })
  app.post('/throws', { config: { invalidates: () => { runs++; return ['t'] } } }, async () => { throw new TypeError('no') })
  for (const [method, url, count] of [['POST', '/200', 1], ['POST', '/201', 2], ['POST', '/302', 2], ['POST', '/404', 2], ['POST', '/500', 2], ['GET', '/200', 2], ['POST', '/throws', 2]] as const) {
    await app.inject({ method, url })
    t.equal(runs, count, `${method} ${url}`)
  }
})

t.test('a handler that answers behind Fastify\'s back is heeded when it has, and any other once', async t => {
  const app = await assembled(t)
  let runs = 0
  const config = { invalidates: () => { runs++; return ['t'] } }
  app.post('/raw', { config }, (_, reply) => { reply.hijack(); reply.raw.end('ok') })
  app.post('/failed', { config }, (_, reply) => { reply.hijack(); reply.raw.writeHead(500).end('no') })
  app.post('/plain', { config }, async () => ({}))
  await app.cache.set('k', 1, { tags: ['t'] })
  await app.inject({ method: 'POST', url: '/failed' })
  t.equal(await app.cache.get('k'), 1)
  await app.inject({ method: 'POST', url: '/raw' })
  await until('it is dropped', async () => await app.cache.get('k') === undefined)
  t.equal(runs, 1)
  await app.inject({ method: 'POST', url: '/plain' })
  t.equal(runs, 2)
})

t.test('what a route names wrongly is logged and does not change its answer', async t => {
  const app = await assembled(t)
  const wrongs = ['users', { key: ['a'] }, { entity: 'user', states: [{}] }, { tags: ['x'.repeat(10_240)] }]
  for (const [i, wrong] of wrongs.entries()) app.post(`/${i}`, { config: { invalidates: (() => wrong) as never } }, async () => ({ made: true }))
  for (const i of wrongs.keys()) {
    t.strictSame((await app.inject({ method: 'POST', url: `/${i}` })).json(), { made: true })
  }
})

t.test('config.invalidates that is no function fails at boot, and names the route and the value', async t => {
  const app = await assembled(t)
  t.throws(() => app.post('/users', { config: { invalidates: ['users'] as never } }, async () => ({})),
    { code: 'FST_RSP_INVALIDATOR_ROUTE_INVALID', message: /POST \/users .* \[ 'users' \]/ })
})
