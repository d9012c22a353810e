import Fastify from 'fastify'
import t from 'tap'
import redis from '@respite/redis'
import cachePlugin from '@respite/cache'
import { gate, startRedis, until } from '@respite/testing'
import { appOver, ownPrefix, pairOver, strangerAt } from './app-over.ts'
import { startProcess } from './other-process.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const raw = strangerAt(t, server.url)
const shared = { url: server.url, keyPrefix: ownPrefix(), boot: 'wait' as const }
const other = await startProcess(t, shared)

t.test('R1: an invalidation from another process during a load wins: the old value is never stored, and every later read runs the factory', async t => {
  const [here, there] = [await appOver(t, shared), await appOver(t, shared)]
  const hold = gate()
  let row = 'v1'
  const old = here.cache.getOrSet('k', async () => {
    const loaded = row
    await hold.pass()
    return loaded
  })
  await hold.reached
  row = 'v2'
  await other.call('delete', 'k')
  hold.open()
  t.equal(await old, 'v1', 'who began before may have it')
  t.equal(await raw.exists(`${shared.keyPrefix}:v1:val:cache:{k}`), 0)
  let runs = 0
  for (const { cache } of [there, here, there]) {
    t.equal(await cache.getOrSet('k', ({ skip }) => { runs++; skip(); return row }), 'v2')
    t.equal(await cache.get('k'), undefined)
  }
  t.equal(runs, 3)
  for (const { cache } of [there, here, there]) t.equal(await cache.getOrSet('k', () => { runs++; return row }), 'v2')
  t.equal(runs, 4)
  t.equal(await other.call('get', 'k'), 'v2')
  await here.cache.delete('k')
})

t.test('R1: a load in another process is refused in the same way', async t => {
  const [here, there] = [await appOver(t, shared), await appOver(t, shared)]
  for (const end of [() => here.cache.delete('k'), () => here.cache.deletePattern('*'), () => here.cache.set('k', 'v2'), () => here.cache.writeThrough('k', () => 'v2')]) {
    const load = other.load('k', 'v1')
    await load.began
    await end()
    load.go()
    t.equal(await load.answer, 'v1')
    t.equal(await there.cache.getOrSet('k', () => 'v2'), 'v2')
    await there.cache.delete('k')
  }
})

t.test('R1: whoever reads after the invalidation does not join the load that began before it', async t => {
  const { here, there } = await pairOver(t, server.url)
  const hold = gate()
  const old = here.cache.getOrSet('k', async () => { await hold.pass(); return 'v1' })
  await hold.reached
  await there.cache.delete('k')
  t.equal(await here.cache.getOrSet('k', () => 'v2'), 'v2')
  hold.open()
  t.equal(await old, 'v1')
  t.equal(await there.cache.get('k'), 'v2')
})

t.test('R2: the same by tag, by pattern, by clear and by expire', async t => {
  const { here, there } = await pairOver(t, server.url)
  const ways: [string, () => Promise<unknown>][] = [
    ['tag', () => there.cache.invalidateTags('org:7')], ['pattern', () => there.cache.deletePattern('k:*')],
    ['clear', () => there.cache.clear()], ['expire', () => there.cache.expire('k:expire')]
  ]
  for (const [way, end] of ways) {
    const hold = gate()
    const key = `k:${way}`
    const old = here.cache.getOrSet(key, async () => { await hold.pass(); return 'v1' }, { tags: ['org:7'] })
    await hold.reached
    await end()
    hold.open()
    t.equal(await old, 'v1')
    for (const { cache } of [here, there]) t.equal(await cache.getOrSet(key, () => 'v2', { tags: ['org:7'] }), 'v2', way)
  }
})

t.test('R2: whoever reads after a bump or clear does not join the load that began before it, though its lease stands', async t => {
  const { here, there } = await pairOver(t, server.url)
  for (const [way, end] of [['tag', () => there.cache.invalidateTags('org:7')], ['clear', () => there.cache.clear()]] as const) {
    const hold = gate()
    const options = { tags: ['org:7'] }
    const old = here.cache.getOrSet(way, async () => { await hold.pass(); return 'v1' }, options)
    await hold.reached
    await end()
    const next = here.cache.getOrSet(way, () => 'v2', options)
    // Asked on the same connection after it: when this is answered, that was.
    await here.cache.get('something else')
    hold.open()
    t.equal(await old, 'v1')
    t.equal(await next, 'v2', way)
  }
})

t.test('R2: a tag added inside the factory is refused in every state its record can be in while it is invalidated', async t => {
  const { here, there, keyPrefix } = await pairOver(t, server.url)
  let lost = false
  const states: [string, () => Promise<unknown>][] = [
    ['never seen', async () => undefined],
    ['vouched for', () => here.cache.getOrSet('other', ({ tag }) => { tag('t'); return 1 })],
    ['lost after the invalidation', async () => { lost = true }]
  ]
  for (const [what, prepare] of states) {
    await raw.del(`${keyPrefix}:v1:tag:{cache:t}`)
    await prepare()
    const hold = gate()
    const old = here.cache.getOrSet('k', async ({ tag }) => { await hold.pass(); tag('t'); return 'v1' })
    await hold.reached
    await there.cache.invalidateTags('t')
    if (lost) await raw.del(`${keyPrefix}:v1:tag:{cache:t}`)
    hold.open()
    t.equal(await old, 'v1')
    for (const { cache } of [here, there]) t.equal(await cache.get('k'), undefined, what)
    t.equal(await there.cache.getOrSet('k', ({ tag }) => { tag('t'); return 'v2' }), 'v2')
    t.equal(await here.cache.get('k'), 'v2', 'without an invalidation it is stored')
    await here.cache.delete('k', 'other')
  }
})

t.test('R2, R9: an invalidation by tag during a refresh of a stale value wins, and a stale value of a dead tag is never answered', async t => {
  const { here, there } = await pairOver(t, server.url)
  const options = { swr: '1m', staleIfError: '1m', tags: ['t'] } as const
  await here.cache.getOrSet('k', () => 'v1', options)
  await here.cache.expire('k')
  const hold = gate()
  t.equal(await here.cache.getOrSet('k', async () => { await hold.pass(); return 'v1' }, options), 'v1')
  await hold.reached
  await there.cache.invalidateTags('t')
  const after = there.cache.getOrSet('k', () => 'v2', options)
  hold.open()
  t.equal(await after, 'v2')
  await until('nothing old is left', async () => await here.cache.getOrSet('k', () => 'v2', options) === 'v2')
  await here.cache.expire('k')
  await there.cache.invalidateTags('t')
  await t.rejects(here.cache.getOrSet('k', () => { throw new TypeError('down') }, options), /down/, 'also when the source fails')
})

t.test('R2: an invalidation during an early refresh of a value that is still fresh wins over it', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url, keyPrefix: ownPrefix(), boot: 'wait', deadlineMs: 2_000 })
  // Below every probability: each read refreshes.
  Object.assign(app.respite, { chance: () => -1 })
  await app.register(cachePlugin)
  const { cache } = app
  const options = { ttl: '1m', eager: 'xfetch', tags: ['t'] } as const
  for (const end of [() => cache.delete('k'), () => cache.invalidateTags('t'), () => cache.invalidateTags('added'), () => cache.clear(), () => cache.deletePattern('k')]) {
    await cache.getOrSet('k', async ({ tag }) => {
      tag('added')
      const from = performance.now()
      await until('it has cost something', () => performance.now() > from + 2)
      return 'v1'
    }, options)
    const hold = gate()
    const ended = new Promise<unknown>(resolve => {
      const stop = cache.on('fill', ({ outcome }) => { stop(); resolve(outcome) })
    })
    t.equal(await cache.getOrSet('k', async ({ tag }) => { tag('added'); await hold.pass(); return 'v1' }, options), 'v1', 'it is fresh')
    await hold.reached
    await end()
    hold.open()
    await ended
    t.equal(await cache.getOrSet('k', () => 'v2', { ttl: '1m', tags: ['t'] }), 'v2')
    await cache.delete('k')
  }
})
