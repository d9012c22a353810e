import t from 'tap'
import { freePort, startRedis, until } from '@respite/testing'
import { assemble } from './assemble.ts'

t.test('while Redis hangs, requests go on and invalidations are queued; back, they are drained before local copies are trusted', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const make = async () => {
    const app = await assemble({ url: server.url, boot: 'wait', deadlineMs: 100 })
    t.teardown(() => app.close())
    await app.ready()
    return app
  }
  const [here, there] = [await make(), await make()]
  const { cache } = here
  await cache.set('k', 'v1')
  await cache.set('untouched', 'v1')
  await until('a local copy is there', async () => await cache.get('k') === 'v1' && cache.getLocal('k') === 'v1')

  server.freeze()
  const report = await cache.delete('k')
  t.match(report, { dropped: 0, queued: 1 })
  let settled = false
  const waited = report.settled.then(() => { settled = true })
  t.equal(cache.stats().local, false, 'local copies are held')
  t.equal(cache.getLocal('k'), undefined)
  t.equal(cache.getLocal('untouched'), undefined)
  let runs = 0
  const values = await Promise.all(Array.from({ length: 50 }, () => cache.getOrSet('k', async () => {
    runs++
    await new Promise(resolve => setImmediate(resolve))
    return 'v2'
  })))
  t.ok(values.every(value => value === 'v2'))
  t.equal(runs, 1, 'one run a process')
  t.equal(await cache.get('k'), undefined)
  await cache.set('s', 1)
  t.match(await cache.invalidateTags('a', 'b'), { queued: 2 })
  t.match(await cache.deletePattern('x:*'), { queued: 1 })
  t.match(await cache.clear(), { queued: 1 })
  t.equal(cache.stats().queued, 1, 'the clear covers what was queued before it')
  t.equal(settled, false)
  t.match((await here.respite.health.report()).parts['cache'], { status: 'degraded', queued: 1 })

  server.thaw()
  await waited
  await until('local copies are in use again', () => cache.stats().local)
  t.equal(cache.stats().queued, 0)
  t.equal(await there.cache.getOrSet('k', () => 'v3'), 'v3', 'the old value is gone for all')
  await until('and kept here again', async () => await cache.get('k') === 'v3' && cache.getLocal('k') === 'v3')
})

t.test('a write through the cache is made while Redis hangs, before or during it, and what was there before is dropped when Redis is back', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = await assemble({ url: server.url, boot: 'wait', deadlineMs: 100 })
  t.teardown(() => app.close())
  await app.ready()
  const { cache } = app
  for (const when of ['before', 'during']) {
    await cache.set('k', 'old')
    if (when === 'before') server.freeze()
    const value = await cache.writeThrough('k', async () => {
      if (when === 'during') server.freeze()
      return 'new'
    })
    t.equal(value, 'new')
    t.equal(cache.stats().queued, 1, when)
    server.thaw()
    await until('it is drained', () => cache.stats().queued === 0)
    const found = await cache.getOrSet('k', () => 'loaded')
    // A fill that was on its way when its answer came too late may have been taken after all; then the drop comes after it.
    t.equal(found, 'loaded', when)
  }
})

t.test('the app boots without Redis, and caches nothing until it is there', async t => {
  const app = await assemble({ url: `redis://127.0.0.1:${await freePort()}`, deadlineMs: 100 })
  let runs = 0
  app.get('/', { config: { cache: { ttl: '5m' } } }, async () => ({ runs: ++runs }))
  await app.ready()
  for (let i = 1; i <= 3; i++) {
    const response = await app.inject('/')
    t.strictSame([response.headers['x-cache'], response.body], ['MISS', `{"runs":${i}}`])
  }
  const report = await app.cache.delete('k')
  t.equal(report.queued, 1)
  await app.close()
  await t.rejects(report.settled, { code: 'FST_RSP_CACHE_QUEUE_LOST' })
})

t.test('without Redis too nobody waits longer than a lease for a run that does not end', { timeout: 60_000 }, async t => {
  const app = await assemble({ url: `redis://127.0.0.1:${await freePort()}`, deadlineMs: 100 }, { lease: '50ms' })
  t.teardown(() => app.close())
  await app.ready()
  const { cache } = app
  let begun = false
  cache.getOrSet('k', () => new Promise(() => { begun = true })).catch(t.error)
  await until('it has begun', () => begun)
  t.strictSame(await Promise.all([cache.getOrSet('k', () => 'a'), cache.getOrSet('k', () => 'b')]), ['a', 'a'])
  t.equal(await cache.getOrSet('k', () => 'c'), 'c')
})
