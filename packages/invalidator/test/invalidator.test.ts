import t from 'tap'
import Fastify from 'fastify'
import redis from '@respite/redis'
import invalidator from '@respite/invalidator'
import { assemble } from './assemble.ts'

const app = await assemble()
t.teardown(() => app.close())
await app.ready()
const { cache, invalidator: inv } = app

async function there (...keys: string[]) {
  for (const key of keys) await cache.set(key, 1, { tags: key.startsWith('org') ? ['org:1'] : [] })
}

async function left (...keys: string[]) {
  const values = await Promise.all(keys.map(key => cache.get(key)))
  return keys.filter((_, i) => values[i] !== undefined)
}

t.test('an entity without a definition ends its key by id and its lists', async t => {
  const keys = ['user:7', 'user:70', 'user:list:1', 'user:list:', 'users:list:1', 'userlist']
  for (const change of [
    () => inv.afterCreate('user', { id: 7 }),
    () => inv.afterUpdate('user', { id: 7, a: 1 }, { id: 7, a: 2 }),
    () => inv.afterUpdate('user', undefined, { id: 7 }),
    () => inv.afterDelete('user', { id: '7' })
  ]) {
    await there(...keys)
    const report = await change()
    t.match(report, { entity: 'user', strategy: 'on-write', keys: ['user:7'], patterns: ['user:list:*'], tags: [], dropped: 3, queued: 0, published: false })
    await report.settled
    t.strictSame(await left(...keys), ['user:70', 'users:list:1', 'userlist'])
  }
  await t.rejects(inv.afterCreate('user', { name: 'no id' }), { code: 'FST_RSP_INVALIDATOR_TARGETS_INVALID', message: /'user'.*no id/ })
})

t.test('an absence that was cached ends when the entity is made', async t => {
  t.equal(await cache.getOrSet('user:9', () => null), null)
  await inv.afterCreate('user', { id: 9 })
  t.equal(await cache.get('user:9'), undefined)
})

t.test('a definition names keys, lists and tags; a change ends those of both states', async t => {
  inv.define<{ id: number, org: number }>('member', { keys: m => [`member:${m.id}`], lists: m => [`org:${m.org}:members:*`], tags: m => [`org:${m.org}`] })
  await there('member:1', 'org:1:members:a', 'org:2:members:a', 'org:3:members:a', 'org:1')
  const report = await inv.afterUpdate('member', { id: 1, org: 1 }, { id: 1, org: 2 })
  t.match(report, { keys: ['member:1'], patterns: ['org:1:members:*', 'org:2:members:*'], tags: ['org:1', 'org:2'] })
  t.strictSame(await left('member:1', 'org:1:members:a', 'org:2:members:a', 'org:1'), [])
  inv.define('fixed', { keys: ['settings'] })
  await there('settings')
  await inv.afterUpdate('fixed', {}, {})
  t.strictSame(await left('settings'), [])
})

t.test('strategy ttl drops nothing, and says so', async t => {
  inv.define('weather', { strategy: 'ttl' })
  await there('weather:1')
  t.match(await inv.afterUpdate('weather', { id: 1 }, { id: 1 }), { strategy: 'ttl', dropped: 0, keys: [], note: /live out their time/ })
  t.strictSame(await left('weather:1'), ['weather:1'])
})

t.test('a definition is made once, and its mistakes are named', async t => {
  inv.define('once', {})
  t.throws(() => inv.define('once', {}), { code: 'FST_RSP_INVALIDATOR_DEFINED' })
  t.throws(() => inv.define('x', { strategy: 'sometimes' as never }), { code: 'FST_RSP_INVALIDATOR_DEFINITION_INVALID', message: /'strategy' is 'sometimes'/ })
  t.throws(() => inv.define('x', { key: [] } as never), { message: /'key' is/ })
  t.throws(() => inv.define('x', { keys: 'user' as never }), { message: /'keys' is 'user'/ })
  inv.define('wrong', { keys: () => 'no list' as never })
  await t.rejects(inv.afterDelete('wrong', {}), { code: 'FST_RSP_INVALIDATOR_TARGETS_INVALID', message: /'wrong'.*'no list'/ })
})

t.test('what a route ends goes after its 2xx, before the answer leaves', async t => {
  const other = await assemble()
  t.teardown(() => other.close())
  let status = 200
  other.put('/users/:id', { config: { invalidates: request => ({ keys: [`user:${(request.params as { id: string }).id}`] }) } }, async (_, reply) => reply.code(status).send({}))
  other.delete('/broken', { config: { invalidates: () => { throw new TypeError('no') } } }, async () => ({}))
  await other.cache.set('user:1', 1)
  status = 409
  await other.inject({ method: 'PUT', url: '/users/1' })
  t.equal(await other.cache.get('user:1'), 1)
  status = 204
  await other.inject({ method: 'PUT', url: '/users/1' })
  t.equal(await other.cache.get('user:1'), undefined)
  t.equal((await other.inject({ method: 'DELETE', url: '/broken' })).statusCode, 200, 'the change was made')
})

t.test('config.invalidates on a route that changes nothing is refused', async t => {
  const other = await assemble()
  t.teardown(() => other.close())
  t.throws(() => other.get('/', { config: { invalidates: () => undefined } }, async () => ({})), { code: 'FST_RSP_INVALIDATOR_ROUTE_METHOD' })
})

t.test('without a cache the app does not become ready, and says what is missing', async t => {
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(redis)
  await other.register(invalidator)
  await t.rejects(async () => { await other.ready() }, { code: 'FST_RSP_CONTRACT_MISSING', message: /'invalidation'/ })
})

t.test('changes are counted', async t => {
  const metric = (await app.respite.metrics.read()).find(({ name }) => name === 'invalidator_events_total')!
  const series = Object.fromEntries([...metric.entries()].map(([labels, one]) => [labels.join(), (one as { value: number }).value]))
  t.equal(series['ttl,update'], 1)
  t.ok(series['on-write,create']! >= 2)
})
