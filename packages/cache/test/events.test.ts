import t from 'tap'
import { until } from '@respite/testing'
import { assemble } from './assemble.ts'

t.test('those who listen are told of hits, misses, fills, sets, invalidations and evictions, by namespace and key', async t => {
  const app = await assemble({}, { maxItems: 2 })
  t.teardown(() => app.close())
  const cache = app.cache.namespace('users')
  const seen: string[] = []
  const stops = [
    cache.on('hit', ({ namespace, key, tier }) => { seen.push(`hit ${namespace} ${key} ${tier}`) }),
    cache.on('miss', ({ key, reason }) => { seen.push(`miss ${key} ${reason}`) }),
    cache.on('fill', ({ key, outcome, ttlMs, bytes }) => { seen.push(`fill ${key} ${outcome} ${ttlMs} ${bytes! > 0}`) }),
    cache.on('set', ({ key, ttlMs }) => { seen.push(`set ${key} ${ttlMs}`) }),
    cache.on('invalidate', ({ kind, name, dropped, queued }) => { seen.push(`invalidate ${kind} ${name} ${dropped} ${queued}`) }),
    cache.on('evict', ({ key }) => { seen.push(`evict ${key}`) })
  ]
  const told = async (work: () => Promise<unknown>, expected: string[]) => {
    seen.length = 0
    await work().catch(() => undefined)
    await until('they are told', () => seen.length >= expected.length)
    t.strictSame(seen, expected)
  }
  await told(() => cache.get('a'), ['miss a absent'])
  await told(() => cache.getOrSet('a', () => 1, { ttl: '1m' }), ['miss a absent', 'fill a stored 60000 true'])
  await told(() => cache.get('a'), ['hit cache:users a l2'])
  await told(() => cache.get('a'), ['hit cache:users a l1'])
  await told(() => cache.getOrSet('f', () => { throw new Error('down') }), ['miss f absent', 'fill f failed undefined false'])
  await told(() => cache.writeThrough('a', () => 2, { ttl: '2m' }), ['fill a stored 120000 true'])
  await told(() => cache.set('a', 3, { ttl: '3m' }), ['set a 180000'])
  await told(() => cache.delete('a'), ['invalidate key a 1 false'])
  await told(() => cache.invalidateTags('t'), ['invalidate tag t 0 false'])
  for (const key of ['x', 'y', 'z']) await cache.set(key, 1)
  await cache.get('y')
  await cache.get('z')
  await cache.set('w', 1)
  await told(() => cache.get('w'), ['evict y', 'hit cache:users w l2'])
  for (const stop of stops) stop()
  await cache.get('w')
  t.equal(seen.length, 2)
})

t.test('a listener that throws or rejects breaks neither the cache nor the other listeners', async t => {
  const app = await assemble({})
  t.teardown(() => app.close())
  const seen: string[] = []
  app.cache.on('miss', () => { throw new Error('mine') })
  app.cache.on('miss', async () => { throw new Error('mine too') })
  app.cache.on('miss', ({ key }) => { seen.push(key) })
  t.equal(await app.cache.get('k'), undefined)
  await until('the third is told', () => seen.length === 1)
})

t.test('an event there is none of is refused by name', async t => {
  const app = await assemble({})
  t.teardown(() => app.close())
  t.throws(() => app.cache.on('hits' as never, () => undefined), { code: 'FST_RSP_CACHE_EVENT_UNKNOWN', message: /hit, miss.*'hits'/ })
})
