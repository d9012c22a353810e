import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { randomToken } from '@respite/redis'
import { gate, startProxy, startRedis, until } from '@respite/testing'
import type { CachePluginOptions } from '@respite/cache'
import { Places, cacheShapes } from '../src/keys.ts'
import { LocalCopies } from '../src/local-copies.ts'
import { CacheEvents } from '../src/events.ts'
import { Journal } from '../src/journal.ts'
import { Meters } from '../src/metrics.ts'
import { Reader } from '../src/reader.ts'
import { encodeRecord } from '../src/record.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const raw = new Redis(server.url)
t.teardown(() => { raw.disconnect() })

/** Two processes' worth of apps under a prefix of their own. */
async function pair (t: Test, options: CachePluginOptions = {}): Promise<{ here: FastifyInstance, there: FastifyInstance, keyPrefix: string }> {
  const keyPrefix = `h${randomToken()}`.replace(/\W/g, '')
  const make = async () => {
    const app = await assemble({ url: server.url, keyPrefix, boot: 'wait' }, options)
    t.teardown(() => app.close())
    await app.ready()
    return app
  }
  return { here: await make(), there: await make(), keyPrefix }
}

t.test('R1: an invalidation from another process during a load wins: the old value is never stored', async t => {
  const { here, there } = await pair(t)
  const hold = gate()
  let row = 'v1'
  const old = here.cache.getOrSet('k', async () => {
    const loaded = row
    await hold.pass()
    return loaded
  })
  await hold.reached
  row = 'v2'
  await there.cache.delete('k')
  hold.open()
  t.equal(await old, 'v1', 'who began before may have it')
  let runs = 0
  for (const { cache } of [there, here, there]) t.equal(await cache.getOrSet('k', () => { runs++; return row }), 'v2')
  t.equal(runs, 1)
  t.equal(await here.cache.get('k'), 'v2')
})

t.test('R1: whoever reads after the invalidation does not join the load that began before it', async t => {
  const { here, there } = await pair(t)
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
  const { here, there } = await pair(t)
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
  const { here, there } = await pair(t)
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

t.test('a local copy asks Redis for nothing', async t => {
  const { here } = await pair(t)
  const calls = async () => [...(await raw.info('commandstats')).matchAll(/cmdstat_(evalsha|get|hget):calls=(\d+)/g)].reduce((sum, [, , count]) => sum + Number(count), 0)
  await here.cache.set('k', 'v')
  await until('a local copy is there', async () => await here.cache.get('k') === 'v' && here.cache.getLocal('k') === 'v')
  const before = await calls()
  for (let i = 0; i < 1_000; i++) await here.cache.getOrSet('k', () => 'never')
  t.equal(await calls(), before)
})

t.test('R4: lost records of tags and namespaces make misses, never hits', async t => {
  const { here, there, keyPrefix } = await pair(t)
  const reload = async (what: string) => {
    let runs = 0
    await here.cache.getOrSet('k', () => { runs++; return 1 }, { tags: ['t'] })
    t.equal(runs, 1, what)
    await here.cache.getOrSet('k', () => { runs++; return 1 }, { tags: ['t'] })
    t.equal(runs, 1, `${what}, again`)
  }
  await reload('at first')
  await there.cache.invalidateTags('t')
  await raw.del(`${keyPrefix}:v1:tag:{cache:t}`)
  await until('the push has come', async () => await here.cache.get('k') === undefined)
  await reload('the tag is lost after its bump')
  await raw.del(`${keyPrefix}:v1:ns:{cache}`)
  await until('the push has come', async () => await here.cache.get('k') === undefined)
  await reload('the namespace is lost')
  await raw.del(`${keyPrefix}:v1:clk:{cache}`)
  t.equal(await here.cache.get('k'), 1, 'the clock of bumps is not needed to read')
})

t.test('R5, R13: an answer that a push, a flush or an own write has overtaken is given, and not kept', async t => {
  const app = await assemble({})
  t.teardown(() => app.close())
  const { invalidations, clock, metrics, keyspace } = app.respite
  const places = new Places(cacheShapes(keyspace), 'r5')
  const overtaking: [string, () => void][] = [
    ['a push for the key', () => { invalidations.changedHere([places.val('k')]) }],
    ['a push for the namespace', () => { invalidations.changedHere([places.nsKey]) }],
    ['a flush', () => { invalidations.changedAllHere() }],
    ['nothing', () => undefined]
  ]
  for (const [what, overtake] of overtaking) {
    const hold = gate()
    const local = new LocalCopies(invalidations, clock, { maxItems: 9, maxBytes: 9_999, maxAgeMs: 60_000, onEvict: () => undefined })
    const store = new MemoryStore(clock, { maxItems: 9, maxBytes: 9_999 })
    const { ns } = await store.mint([], true)
    await store.put('k', { record: encodeRecord({ id: randomToken(), snapshot: { ns: ns!, tags: new Map() }, costMs: 0, ttlMs: 60_000, body: '"v1"' }), softMs: 60_000, hardMs: 60_000 })
    const read = store.read.bind(store)
    store.read = async question => {
      const reply = await read(question)
      await hold.pass() // the answer is on its way
      return reply
    }
    const reader = new Reader({ store, places, local, invalidations, clock, journal: new Journal('r5', new Meters(metrics, 'r5'), new CacheEvents(() => undefined)), copy: false })
    const asked = reader.ask('k', [])
    await hold.reached
    overtake()
    hold.open()
    t.equal((await asked).answer!.forCaller(), 'v1')
    t.equal(local.find('k') === undefined, what !== 'nothing', what)
  }
})

t.test('R6: a tracking connection that breaks leaves nothing stale behind', async t => {
  const { here, there } = await pair(t)
  await here.cache.set('k', 'v1')
  await until('a local copy is there', async () => await here.cache.get('k') === 'v1' && here.cache.getLocal('k') === 'v1')
  await raw.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await there.cache.delete('k')
  await until('the loss is noticed', async () => await here.cache.get('k') === undefined)
  await here.cache.set('k', 'v2')
  await until('local copies are trusted again', async () => await here.cache.get('k') === 'v2' && here.cache.getLocal('k') === 'v2')
})

t.test('R7: a holder that was frozen past its lease does not overwrite what another has filled', async t => {
  const { here, there } = await pair(t, { lease: 60 })
  const hold = gate()
  const frozen = here.cache.getOrSet('k', async () => { await hold.pass(); return 'v1' })
  await hold.reached
  let value: unknown
  await until('the lease has ended', async () => {
    value = await there.cache.getOrSet('k', () => 'v2')
    return await there.cache.get('k') === 'v2'
  })
  t.equal(value, 'v2')
  hold.open()
  t.equal(await frozen, 'v1')
  for (const { cache } of [there, here]) t.equal(await cache.get('k'), 'v2')
})

t.test('R13: FLUSHALL ends every local copy', async t => {
  const { here } = await pair(t)
  await here.cache.set('k', 'v1')
  await until('a local copy is there', async () => await here.cache.get('k') === 'v1' && here.cache.getLocal('k') === 'v1')
  await raw.flushall()
  await until('it is gone', async () => await here.cache.get('k') === undefined)
})

t.test('what others write reaches the local copies of this process', async t => {
  const { here, there } = await pair(t)
  await here.cache.set('k', 1)
  for (let version = 1; version <= 20; version++) {
    await until(`version ${version} is a local copy`, async () => await here.cache.get('k') === version && here.cache.getLocal('k') === version)
    await there.cache.set('k', version + 1)
  }
})

t.test('own writes are seen at once, whatever the pushes do', async t => {
  const { here } = await pair(t)
  for (let version = 0; version < 200; version++) {
    await here.cache.set('k', version)
    t.equal(await here.cache.get('k'), version) || t.bailout('an own write was not seen')
    await here.cache.get('k')
  }
  await here.cache.delete('k')
  t.equal(await here.cache.get('k'), undefined)
})

t.test('records that a stranger has changed are misses, counted; those of another release are kept', async t => {
  const { here, keyPrefix } = await pair(t)
  const key = `${keyPrefix}:v1:val:cache:{k}`
  const unreadable = async (reason: string) => {
    const metric = (await here.respite.metrics.read()).find(({ name }) => name === 'cache_unreadable_total')!
    return [...metric.entries()].filter(([labels]) => labels[0] === reason).reduce((sum, [, series]) => sum + (series as { value: number }).value, 0)
  }
  const change = async (edit: (record: Buffer) => Buffer) => {
    await here.cache.set('k', { a: 1 })
    await raw.set(key, edit((await raw.getBuffer(key))!))
    await until('the push has come', () => here.cache.getLocal('k') === undefined)
  }
  const corrupt: [string, (record: Buffer) => Buffer][] = [
    ['truncated head', record => record.subarray(0, 20)], ['truncated body', record => record.subarray(0, -2)],
    ['other body', record => Buffer.concat([record.subarray(0, -7), Buffer.from('{"$":[')])], ['one byte', record => record.subarray(0, 1)]
  ]
  for (const [what, edit] of corrupt) {
    const before = await unreadable('corrupt')
    await change(edit)
    // What has no readable soft expiry is not fresh; looked at, it is found broken all the same.
    t.equal(await here.cache.get('k'), undefined, what)
    t.ok(await unreadable('corrupt') > before, `${what} is counted`)
    await until('it is dropped', async () => await raw.exists(key) === 0)
    t.strictSame(await here.cache.getOrSet('k', () => 'new'), 'new', what)
    t.equal(await here.cache.get('k'), 'new', what)
  }
  await change(record => Buffer.concat([record.subarray(0, -7), Buffer.from('{"__proto__":{"admin":true},"a":1}')]))
  const value = await here.cache.get<Record<string, unknown>>('k')
  t.strictSame(value, { a: 1 })
  t.equal(value!['admin'], undefined)
  const foreign = await unreadable('foreign')
  await change(record => Buffer.concat([Buffer.of(2), record.subarray(1)]))
  t.equal(await here.cache.get('k'), undefined)
  t.equal(await here.cache.getOrSet('k', () => 'mine'), 'mine')
  t.equal((await raw.getBuffer(key))![0], 2, 'a newer release wrote it: it stays')
  t.equal(await unreadable('foreign'), foreign + 2)
  await raw.del(key)
  await raw.hset(key, 'field', 'not a string')
  t.equal(await here.cache.getOrSet('k', () => 'still'), 'still')
})

t.test('R2: a tag added inside the factory is refused in every state its record can be in while it is invalidated', async t => {
  const { here, there, keyPrefix } = await pair(t)
  const states: [string, () => Promise<unknown>][] = [
    ['never seen', async () => undefined],
    ['vouched for', () => here.cache.getOrSet('other', ({ tag }) => { tag('t'); return 1 })],
    ['lost after the invalidation', async () => { lost = true }]
  ]
  let lost = false
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

t.test('R4: a clock of bumps that was lost refuses the fills that began before, and nothing stays old', async t => {
  const { here, there, keyPrefix } = await pair(t)
  const hold = gate()
  const old = here.cache.getOrSet('k', async ({ tag }) => { await hold.pass(); tag('t'); return 'v1' })
  await hold.reached
  await raw.del(`${keyPrefix}:v1:clk:{cache}`)
  await there.cache.invalidateTags('t')
  hold.open()
  t.equal(await old, 'v1')
  t.equal(await there.cache.get('k'), undefined)
})

t.test('R2, R9: an invalidation by tag during a refresh of a stale value wins, and a stale value of a dead tag is never answered', async t => {
  const { here, there } = await pair(t)
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

t.test('R3: a process whose clock is 15 minutes behind, and a clock that stands, change no verdict', async t => {
  const { here, there } = await pair(t)
  const { now } = Date
  t.teardown(() => { Date.now = now })
  const standing = now()
  for (const wall of [() => now() - 900_000, () => now() + 900_000, () => standing]) {
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
    t.ok(found!.ttlMs > 30_000, `${found!.ttlMs} ms left`)
    await here.cache.delete('k')
  }
})

t.test('R10: expire never brings back what was dropped or replaced meanwhile', async t => {
  const { here, there } = await pair(t)
  for (let round = 0; round < 50; round++) {
    await here.cache.set('k', 'old', { ttl: '1m' })
    await Promise.all([there.cache.expire('k'), here.cache.delete('k'), there.cache.expire('k')])
    t.equal(await there.cache.getOrSet('k', () => 'new', { swr: '1m' }), 'new') || t.bailout('a dropped value came back')
    await Promise.all([there.cache.expire('k'), here.cache.set('k', 'newer')])
    t.equal(await there.cache.getOrSet('k', () => 'newest', { swr: '1m' }) === 'new', false)
    await here.cache.delete('k')
  }
})

t.test('l2Timeout: a call goes on without Redis when it does not answer in time', async t => {
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  const app = await assemble({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix: 'slow', boot: 'wait', deadlineMs: 60_000 })
  t.teardown(() => app.close())
  await app.ready()
  proxy.blackHole = true
  t.equal(await app.cache.getOrSet('k', () => 1, { l2Timeout: 30 }), 1)
  proxy.blackHole = false
  proxy.cut()
})
