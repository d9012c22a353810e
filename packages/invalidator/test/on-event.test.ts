import { Redis } from 'ioredis'
import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())

// Instances whose caches do not share a Redis area, as those of two regions: only the bus connects them.
async function instance (prefix: string) {
  const app = await assemble({ url: server.url, boot: 'wait' }, {}, { prefix })
  t.teardown(() => app.close())
  app.invalidator.define('user', { strategy: 'on-event' })
  await app.ready()
  return app
}

const [here, there] = [await instance('here'), await instance('there')]

t.test('on-event: this instance has dropped when the call resolves, the others when they hear', async t => {
  for (const { cache } of [here, there]) {
    await cache.set('user:7', 1)
    await cache.set('user:list:1', 1)
    await cache.set('user:8', 1)
  }
  const report = await here.invalidator.afterUpdate('user', { id: 7 }, { id: 7 })
  t.match(report, { strategy: 'on-event', dropped: 2, published: true, keys: ['user:7'], patterns: ['user:list:*'] })
  t.equal(await here.cache.get('user:7'), undefined)
  await until('the other has heard', async () => await there.cache.get('user:7') === undefined && await there.cache.get('user:list:1') === undefined)
  t.equal(await there.cache.get('user:8'), 1)
})

t.test('a program in another language can tell of a change; what is no change is left aside and counted', async t => {
  const stranger = new Redis(server.url)
  t.teardown(() => { stranger.disconnect() })
  const tell = (value: unknown) => stranger.publish('respite:v1:bus:{invalidate}', JSON.stringify({ v: 1, d: value }))
  await there.cache.set('user:9', 1)
  for (const nonsense of [null, 'user:9', { keys: 'user:9' }, { keys: [9] }, { keys: Array.from({ length: 20_000 }, () => 'user:9') }]) await tell(nonsense)
  await until('they are counted', async () => {
    const metric = (await there.respite.metrics.read()).find(({ name }) => name === 'invalidator_events_total')!
    return [...metric.entries()].some(([labels, series]) => labels[1] === 'malformed' && (series as { value: number }).value === 5)
  })
  t.equal(await there.cache.get('user:9'), 1)
  await tell({ keys: ['user:9'] })
  await until('it is dropped', async () => await there.cache.get('user:9') === undefined)
})

t.test('an instance that may have missed a message drops its local copies', async t => {
  await there.cache.set('k', 1)
  await until('a local copy is there', async () => await there.cache.get('k') === 1 && there.cache.getLocal('k') === 1)
  there.invalidator.missed()
  t.equal(there.cache.getLocal('k'), undefined)
  t.equal(await there.cache.get('k'), 1)
})

t.test('a program in another language tells which entity changed; what goes is by the definition here', async t => {
  const stranger = new Redis(server.url)
  t.teardown(() => { stranger.disconnect() })
  for (const key of ['user:11', 'user:list:a', 'user:12']) await there.cache.set(key, 1)
  await stranger.publish('respite:v1:bus:{invalidate}', '{"v":1,"d":{"entity":"user","states":[{"id":11}]}}')
  await until('it is dropped', async () => await there.cache.get('user:11') === undefined && await there.cache.get('user:list:a') === undefined)
  t.equal(await there.cache.get('user:12'), 1)
})

async function gaps (app: typeof here): Promise<number> {
  const metric = (await app.respite.metrics.read()).find(({ name }) => name === 'invalidator_events_total')!
  return [...metric.entries()].filter(([labels]) => labels[1] === 'gap').reduce((sum, [, series]) => sum + (series as { value: number }).value, 0)
}

async function copied (key: string): Promise<void> {
  await there.cache.set(key, 1)
  await until('a local copy is there', async () => await there.cache.get(key) === 1 && there.cache.getLocal(key) === 1)
}

t.test('a hole in a publisher\'s numbers is a gap: the local copies go, once', async t => {
  const stranger = new Redis(server.url)
  t.teardown(() => { stranger.disconnect() })
  const tell = (s: number) => stranger.publish('respite:v1:bus:{invalidate}', JSON.stringify({ v: 1, o: 'billing', s, d: { keys: [`told ${s}`] } }))
  const heard = async (s: number) => {
    await there.cache.set(`told ${s}`, 1)
    await tell(s)
    await until(`message ${s} is heard`, async () => await there.cache.get(`told ${s}`) === undefined)
  }
  const before = await gaps(there)
  await heard(1)
  await heard(2)
  t.equal(await gaps(there), before)
  await copied('k')
  await heard(4)
  t.equal(await gaps(there), before + 1)
  t.equal(there.cache.getLocal('k'), undefined)
  await heard(5)
  t.equal(await gaps(there), before + 1)
})

t.test('a broken connection of the bus is a gap: what was told meanwhile is not believed to be known', async t => {
  const raw = new Redis(server.url)
  t.teardown(() => { raw.disconnect() })
  const before = await gaps(there)
  await copied('k')
  await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('the gap is noticed', async () => await gaps(there) > before)
  await there.cache.set('user:13', 1)
  await until('it hears again', async () => {
    await here.invalidator.afterUpdate('user', undefined, { id: 13 })
    return await there.cache.get('user:13') === undefined
  })
})

t.test('mutate tells of an entity with on-event after the write, also when it fails, and not before', async t => {
  for (const fails of [false, true]) {
    await there.cache.set('user:14', 1)
    const write = gate()
    const change = here.invalidator.mutate({ entity: 'user', states: [{ id: 14 }] }, async () => {
      await write.pass()
      if (fails) throw new TypeError('lost')
    })
    await write.reached
    // Messages of one publisher come in order: when this is heard, nothing came before it.
    await there.cache.set('user:15', 1)
    await here.invalidator.afterUpdate('user', undefined, { id: 15 })
    await until('the marker is heard', async () => await there.cache.get('user:15') === undefined)
    t.equal(await there.cache.get('user:14'), 1)
    write.open()
    if (fails) await t.rejects(change, { message: 'lost' })
    else t.match(await change, { published: true, keys: ['user:14'] })
    await until('the other has heard', async () => await there.cache.get('user:14') === undefined)
  }
})

t.test('Redis down: the report says that the others were not told, and what is queued', async t => {
  const other = await startRedis()
  t.teardown(() => other.stop())
  const app = await assemble({ url: other.url, boot: 'wait', deadlineMs: 100 })
  t.teardown(() => app.close())
  app.invalidator.define('user', { strategy: 'on-event' })
  await app.ready()
  await app.cache.set('user:7', 1)
  other.freeze()
  const report = await app.invalidator.afterDelete('user', { id: 7 })
  t.match(report, { published: false, dropped: 0, queued: 2 })
  other.thaw()
  await report.settled
  t.equal(await app.cache.get('user:7'), undefined)
})
