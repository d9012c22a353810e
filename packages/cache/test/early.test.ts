import Fastify from 'fastify'
import t from 'tap'
import cachePlugin from '@respite/cache'
import redis from '@respite/redis'
import { seeded, until } from '@respite/testing'
import { isEarly } from '../src/early.ts'
import { assemble } from './assemble.ts'

t.test('the chance of an early refresh is exp(−τ/δ): small long before the end, one at it, none for what costs nothing', async t => {
  const { word } = seeded(t)
  const next = () => word() / 2 ** 32
  const share = (leftMs: number, costMs: number) => Array.from({ length: 20_000 }, () => isEarly({ leftMs, costMs }, next)).filter(Boolean).length / 20_000
  t.ok(Math.abs(share(100, 100) - Math.exp(-1)) < 0.02)
  t.ok(Math.abs(share(200, 100) - Math.exp(-2)) < 0.02)
  t.equal(share(0, 100), 1)
  t.equal(share(100_000, 100), 0)
  t.equal(share(10, 0), 0)
})

t.test('jitter shortens times to live by chance, and never lengthens them', async t => {
  const app = await assemble({})
  t.teardown(() => app.close())
  const { cache } = app
  const ttls: number[] = []
  for (let i = 0; i < 50; i++) {
    await cache.getOrSet(`k${i}`, () => i, { ttl: '1h', jitter: 0.5 })
    ttls.push((await cache.getWithTtl(`k${i}`))!.ttlMs)
  }
  t.ok(ttls.every(ttl => ttl > 1_790_000 && ttl <= 3_600_000))
  t.ok(new Set(ttls).size > 40, 'they are spread')
  await cache.getOrSet('exact', () => 1, { ttl: '1h' })
  t.ok((await cache.getWithTtl('exact'))!.ttlMs > 3_590_000)
})

t.test("eager 'xfetch' refreshes behind the answer, from a local copy and from the store, and keeps the value when that fails", async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis)
  let chance = 0
  Object.assign(app.respite, { chance: () => chance })
  await app.register(cachePlugin)
  const { cache } = app
  for (const local of [true, false]) {
    const key = `early ${local}`
    let version = 1
    let runs = 0
    const load = async () => {
      runs++
      const value = version
      const end = performance.now() + 30
      await until('it has cost something', () => performance.now() > end)
      if (value === 3) throw new TypeError('no')
      return value
    }
    const options = { ttl: '10s', eager: 'xfetch' } as const
    chance = 1
    await cache.getOrSet(key, load, options)
    await cache.get(key)
    if (!local) app.respite.invalidations.hold('test', true)
    t.equal(await cache.getOrSet(key, load, options), 1)
    t.equal(runs, 1, 'chance was against it')
    chance = 0
    version = 2
    for (let i = 0; i < 3; i++) t.equal(await cache.getOrSet(key, load, options), 1, 'answered at once')
    await until('it is refreshed', async () => await cache.get(key) === 2)
    t.equal(runs, 2, 'once at a time')
    version = 3
    t.equal(await cache.getOrSet(key, load, options), 2)
    await until('it has failed', () => runs === 3)
    t.equal(await cache.get(key), 2, 'R9: a refresh that fails keeps the value')
    app.respite.invalidations.hold('test', false)
  }
})
