import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { appOver, ownPrefix, pairOver } from './app-over.ts'
import { startProcess } from './other-process.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const quarterOfAnHourMs = 900_000

// This process, and one whose clock is 15 minutes behind.
const where = { url: server.url, keyPrefix: ownPrefix(), boot: 'wait' as const }
const { cache, respite } = await appOver(t, where)
const behind = await startProcess(t, where, { clockOffsetMs: -quarterOfAnHourMs })
t.ok(Date.now() - (await behind.call('now') as number) > quarterOfAnHourMs - 60_000, 'its clock is behind')
// Through Redis what another process invalidates is gone at once, from local copies when the push has come.
respite.invalidations.hold('test', true)

t.test('R3: an invalidation by a process whose clock is 15 minutes behind wins over a load here', async t => {
  for (const [way, target] of [['delete', 'k'], ['invalidateTags', 't'], ['invalidateTags', 'added'], ['deletePattern', 'k*'], ['clear'], ['expire', 'k']] as const) {
    const hold = gate()
    const old = cache.getOrSet('k', async ({ tag }) => { await hold.pass(); tag('added'); return 'v1' }, { tags: ['t'], ttl: '1m' })
    await hold.reached
    await behind.call(way, ...target === undefined ? [] : [target])
    hold.open()
    t.equal(await old, 'v1')
    t.equal(await cache.getOrSet('k', () => 'v2', { tags: ['t'] }), 'v2', `${way} ${target}`)
    await cache.delete('k')
  }
})

t.test('R3: an invalidation here wins over a load in a process whose clock is 15 minutes behind', async t => {
  for (const end of [() => cache.delete('k'), () => cache.invalidateTags('t'), () => cache.deletePattern('k*'), () => cache.clear()]) {
    const load = behind.load('k', 'v1', { tags: ['t'], ttl: '1m' })
    await load.began
    await end()
    load.go()
    t.equal(await load.answer, 'v1')
    t.equal(await cache.get('k'), undefined)
    t.equal(await cache.getOrSet('k', () => 'v2'), 'v2')
    await cache.delete('k')
  }
})

t.test('R3: what a process stores 15 minutes behind is fresh as long as it says, here and there', async t => {
  await behind.call('set', 'theirs', 1, { ttl: '1m' })
  await cache.set('ours', 2, { ttl: '1m' })
  const load = behind.load('loaded', 3, { ttl: '1m', swr: '1h' })
  load.go()
  await load.answer
  for (const [key, value] of [['theirs', 1], ['ours', 2], ['loaded', 3]] as const) {
    for (const found of [await cache.getWithTtl(key), await behind.call('getWithTtl', key)] as { value: number, ttlMs: number }[]) {
      t.equal(found.value, value, key)
      t.ok(found.ttlMs > 1_000 && found.ttlMs <= 60_000, `${found.ttlMs} ms left`)
    }
  }
  await behind.call('set', 'short', 4, { ttl: 30 })
  await until('it ends', async () => await cache.get('short') === undefined)
})

t.test('R3: a load, an invalidation and a set in the same millisecond: nothing old is read after it, whoever is behind', async t => {
  let old = 0
  for (let round = 0; round < 60; round++) {
    const hold = gate()
    const [before, after] = [`v${2 * round}`, `v${2 * round + 1}`]
    let row = before
    const loading = cache.getOrSet('k', async () => { const loaded = row; await hold.pass(); return loaded }, { tags: ['t'] })
    await hold.reached
    row = after
    const dropping = round % 2 === 0 ? behind.call('delete', 'k') : behind.call('invalidateTags', 't')
    hold.open()
    await Promise.all([dropping, loading])
    if (await cache.getOrSet('k', () => row, { tags: ['t'] }) !== after) old++
    await Promise.all([behind.call('delete', 'k'), cache.set('k', `set ${round}`)])
    const values = await Promise.all([cache.get('k'), cache.get('k')])
    if (![undefined, `set ${round}`].includes(values[0] as string) || values[0] !== values[1]) old++
    await cache.delete('k')
  }
  t.equal(old, 0)
})

t.test('R3: a clock that stands, or jumps while a load runs, changes no verdict', async t => {
  const { here, there } = await pairOver(t, server.url)
  const { now } = Date
  t.teardown(() => { Date.now = now })
  const standing = now()
  for (const wall of [() => now() - quarterOfAnHourMs, () => now() + quarterOfAnHourMs, () => standing]) {
    const hold = gate()
    const old = here.cache.getOrSet('k', async ({ tag }) => { tag('t'); await hold.pass(); return 'v1' }, { ttl: '1m' })
    await hold.reached
    Date.now = wall
    await there.cache.invalidateTags('t')
    hold.open()
    await old
    t.equal(await here.cache.getOrSet('k', () => 'v2', { ttl: '1m' }), 'v2')
    await Promise.all([there.cache.delete('k'), here.cache.set('k', 'v3', { ttl: '1m' })])
    t.not(await there.cache.getOrSet('k', () => 'v4'), 'v2')
    Date.now = now
    const found = await there.cache.getWithTtl('k')
    t.ok(found!.ttlMs > 1_000, `${found!.ttlMs} ms left`)
    await here.cache.delete('k')
  }
})
