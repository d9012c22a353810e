import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { type Invalidation, randomToken } from '@respite/redis'
import { type Where, assemble } from './assemble.ts'

// What the invalidator asks of the cache, by the contract through which the two meet.

const server = await startRedis()
t.teardown(() => server.stop())

const stores: [string, () => Where][] = [['memory', () => ({})], ['Redis', () => ({ url: server.url, boot: 'wait', keyPrefix: randomToken() })]]

async function provider (t: Test, where: Where) {
  const app = await assemble(where)
  t.teardown(() => app.close())
  await app.ready()
  return { cache: app.cache, invalidation: app.respite.use('invalidation') as Required<Invalidation> }
}

for (const [name, where] of stores) {
  t.test(`${name}: while a key is held nobody fills it; who asks waits until it is dropped`, async t => {
    const { cache, invalidation } = await provider(t, where())
    await cache.set('k', 'v1')
    const report = await invalidation.hold({ keys: ['k'] }, { holdMs: 60_000 })
    t.equal(report.dropped, 1)
    t.equal(await cache.get('k'), undefined)
    let runs = 0
    const asked = cache.getOrSet('k', () => { runs++; return 'v2' })
    await cache.get('something else') // asked on the same connection after it: when this is answered, that was
    t.equal(runs, 0)
    await invalidation.drop({ keys: ['k'] })
    t.equal(await asked, 'v2')
    t.equal(runs, 1)
  })

  t.test(`${name}: a fill that had begun before the hold is refused`, async t => {
    const { cache, invalidation } = await provider(t, where())
    const hold = gate()
    const old = cache.getOrSet('k', async () => { await hold.pass(); return 'v1' })
    await hold.reached
    await invalidation.hold({ keys: ['k'] }, { holdMs: 60_000 })
    hold.open()
    t.equal(await old, 'v1')
    t.equal(await cache.get('k'), undefined)
    await invalidation.drop({ keys: ['k'] })
  })

  t.test(`${name}: a hold that nobody ends ends by itself`, async t => {
    const { cache, invalidation } = await provider(t, where())
    await invalidation.hold({ keys: ['k'] }, { holdMs: 60 })
    t.equal(await cache.getOrSet('k', () => 'v2'), 'v2')
    t.equal(await cache.get('k'), 'v2')
  })

  t.test(`${name}: fill says whether the entry is there, and leaves a local copy`, async t => {
    const { cache, invalidation } = await provider(t, where())
    t.equal(await invalidation.fill('k', async () => 5, {}), true)
    await until('a local copy is there', async () => await invalidation.fill('k', async () => 5, {}) && cache.getLocal('k') === 5)
    t.equal(await invalidation.fill('nothing', async () => undefined, {}), false)
  })

  t.test(`${name}: more tags than one entry may carry are dropped all the same`, async t => {
    const { cache, invalidation } = await provider(t, where())
    const tags = Array.from({ length: 300 }, (_, i) => `t${i}`)
    await cache.set('k', 1, { tags: ['t299'] })
    t.match(await invalidation.drop({ tags }), { queued: 0 })
    t.equal(await cache.get('k'), undefined)
  })
}

t.test('a hold takes the key from whoever asks for it in the same moment', async t => {
  const where = stores[1]![1]()
  const [one, other] = [await provider(t, where), await provider(t, where)]
  for (let round = 0; round < 50; round++) {
    const key = `k${round}`
    const loads = Array.from({ length: 5 }, () => other.cache.getOrSet(key, () => 'v1'))
    await one.invalidation.hold({ keys: [key] }, { holdMs: 60_000 })
    t.equal(await other.cache.get(key), undefined) || t.bailout(`round ${round}`)
    await one.invalidation.drop({ keys: [key] })
    await Promise.all(loads)
  }
})

t.test('what can never be dropped is refused before anything is', async t => {
  const { cache, invalidation } = await provider(t, {})
  await cache.set('k', 1)
  for (const [what, code] of [
    [{ keys: ['k'], tags: [''] }, 'FST_RSP_CACHE_TAG_INVALID'], [{ keys: ['k'], tags: ['x'.repeat(10_240)] }, 'FST_RSP_CACHE_TAG_INVALID'],
    [{ keys: ['k'], patterns: ['*a'.repeat(9)] }, 'FST_RSP_CACHE_PATTERN_INVALID'], [{ keys: [7 as never] }, 'FST_RSP_CACHE_KEY_INVALID']
  ] as const) {
    t.throws(() => invalidation.check(what), { code })
    await t.rejects(invalidation.hold(what, { holdMs: 100 }), { code })
  }
  t.equal(await cache.get('k'), 1)
})

t.test('the lease of a held key always expires', async t => {
  const { invalidation } = await provider(t, { url: server.url, boot: 'wait', keyPrefix: 'expiring' })
  await invalidation.hold({ keys: ['k'] }, { holdMs: 5_000 })
  const raw = new Redis(server.url)
  t.teardown(() => { raw.disconnect() })
  const left = await raw.pttl('expiring:v1:lease:cache:{k}')
  t.ok(left > 0 && left <= 5_000, `${left} ms`)
})
