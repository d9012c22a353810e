import t, { type Test } from 'tap'
import { randomToken } from '@respite/redis'
import { gate, startProxy, startRedis, until } from '@respite/testing'
import { Places, cacheShapes } from '../../src/keys.ts'
import { LocalCopies } from '../../src/local-copies.ts'
import { CacheEvents } from '../../src/events.ts'
import { Journal } from '../../src/journal.ts'
import { Meters } from '../../src/metrics.ts'
import { Reader } from '../../src/reader.ts'
import { encodeRecord } from '../../src/record.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { assemble } from '../assemble.ts'
import { monitorOf } from './monitor.ts'
import { appOver, copied, ownPrefix, pairOver, strangerAt } from './app-over.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const raw = strangerAt(t, server.url)

/** An app whose answers can be made late, while pushes come in time; and one that has its own way. */
async function lateAndOther (t: Test) {
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  proxy.aim = 'others'
  const keyPrefix = ownPrefix()
  const late = await appOver(t, { url: `redis://127.0.0.1:${proxy.port}`, keyPrefix, deadlineMs: 60_000 })
  const other = await appOver(t, { url: server.url, keyPrefix })
  const pushed = new Set<string>()
  let flushed = 0
  const unfollow = late.respite.invalidations.follow([keyPrefix], { changed: keys => { for (const key of keys) pushed.add(key) }, all: () => { flushed++ } })
  t.teardown(unfollow)
  await until('it is armed', () => late.respite.invalidations.armed)
  return { proxy, late, other, keyPrefix, pushed, flushes: () => flushed }
}

/** How often the server has executed a script on this key. */
async function watched (t: Test, key: string) {
  const executed = await monitorOf(t, server.port)
  return { get times () { return executed.filter(({ name, args }) => name === 'evalsha' && args.includes(key)).length } }
}

t.test('R5: the push overtakes the answer it concerns: the answer is given, not kept, and the next read is new', async t => {
  const { proxy, late, other, keyPrefix, pushed } = await lateAndOther(t)
  const place = `${keyPrefix}:v1:val:cache:{k}`
  const asked = await watched(t, place)
  const changes: [string, () => Promise<unknown>, string][] = [
    ['a set of another process', () => other.cache.set('k', 'v2', { tags: ['t'] }), place],
    ['its delete', () => other.cache.delete('k'), place],
    ['its bump of the tag', () => other.cache.invalidateTags('t'), `${keyPrefix}:v1:tag:{cache:t}`],
    ['its clear', () => other.cache.clear(), `${keyPrefix}:v1:ns:{cache}`]
  ]
  for (const [what, change, changed] of changes) {
    pushed.clear()
    await other.cache.set('k', 'v1', { tags: ['t'] })
    await until('the push of this set has come', () => pushed.has(place))
    // Once before, so that the tags of the key are asked for along with it.
    t.equal(await late.cache.get('k'), 'v1')
    late.respite.invalidations.changedAllHere()
    const before = asked.times
    proxy.hold()
    const reading = late.cache.get('k')
    await until('the server has answered', () => asked.times > before)
    pushed.clear()
    await change()
    await until('the push has come', () => pushed.has(changed))
    proxy.release()
    t.equal(await reading, 'v1', `${what}: who asked before may have it`)
    t.equal(late.cache.getLocal('k'), undefined, what)
    t.equal(await late.cache.get('k'), what === 'a set of another process' ? 'v2' : undefined, what)
  }
})

t.test('R5: with answers 200 ms late, no read is older than what had been pushed before it, nor than an own write', async t => {
  const { proxy, late, other, keyPrefix, pushed } = await lateAndOther(t)
  const place = `${keyPrefix}:v1:val:cache:{k}`
  const asked = await watched(t, place)
  proxy.replyDelayMs = 200
  let overtaken = 0
  for (let round = 0; overtaken < 3 && round < 30; round++) {
    const [older, newer, own] = [3 * round, 3 * round + 1, 3 * round + 2]
    pushed.clear()
    await other.cache.set('k', older)
    await until('no copy is left', () => pushed.has(place))
    const before = asked.times
    let early = false
    const readings = [late.cache.get<number>('k').then(value => { early = true; return value }), late.cache.getOrSet<number>('k', () => -1)]
    await until('the server has answered', () => asked.times >= before + 2)
    pushed.clear()
    await other.cache.set('k', newer)
    await until('the push has come', () => pushed.has(place))
    if (!early) overtaken++
    t.ok((late.cache.getLocal<number>('k') ?? newer) >= newer)
    await Promise.all(readings)
    t.ok((late.cache.getLocal<number>('k') ?? newer) >= newer, 'what came late was not kept')
    t.ok((await late.cache.get<number>('k'))! >= newer, 'asked after the push')
    // Its own push comes before the answer of its own write.
    const reading = late.cache.get('k')
    const writing = late.cache.set('k', own)
    const between = late.cache.get('k')
    await writing
    t.equal(await late.cache.get('k'), own, 'an own write')
    await Promise.all([reading, between])
    t.equal(late.cache.getLocal('k') ?? own, own)
    t.equal(await late.cache.get('k'), own)
  }
  t.ok(overtaken >= 3, 'pushes have overtaken answers')
})

t.test('R5: own writes are seen at once, whatever the pushes do', async t => {
  const { here } = await pairOver(t, server.url)
  for (let version = 0; version < 200; version++) {
    await here.cache.set('k', version)
    t.equal(await here.cache.get('k'), version) || t.bailout('an own write was not seen')
    await here.cache.get('k')
  }
  await here.cache.delete('k')
  t.equal(await here.cache.get('k'), undefined)
})

t.test('R5: what others write reaches the local copies of this process', async t => {
  const { here, there } = await pairOver(t, server.url)
  await here.cache.set('k', 1)
  for (let version = 1; version <= 20; version++) {
    await copied(here.cache, 'k', version)
    await there.cache.set('k', version + 1)
  }
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

t.test('R13: FLUSHDB between the reply and whoever waits for it: the answer is given, not kept, and nothing of before is found', async t => {
  const { proxy, late, other, keyPrefix, flushes } = await lateAndOther(t)
  const asked = await watched(t, `${keyPrefix}:v1:val:cache:{k}`)
  for (const read of [() => late.cache.get('k'), () => late.cache.getOrSet('k', () => 'never', { tags: ['t'] })]) {
    await other.cache.set('k', 'v1', { tags: ['t'] })
    await until('it is there', async () => await late.cache.get('k') === 'v1')
    late.respite.invalidations.changedAllHere()
    const [before, flushedBefore] = [asked.times, flushes()]
    proxy.hold()
    const reading = read()
    await until('the server has answered', () => asked.times > before)
    await raw.flushdb()
    await until('the push has come', () => flushes() > flushedBefore)
    proxy.release()
    t.equal(await reading, 'v1')
    t.equal(late.cache.getLocal('k'), undefined)
    for (const { cache } of [late, other]) t.equal(await cache.get('k'), undefined)
    t.equal(await late.cache.getOrSet('k', () => 'v2'), 'v2')
    await copied(other.cache, 'k', 'v2')
  }
})

t.test('R13: FLUSHDB while a factory runs: its value is given and not stored, and the namespace begins anew', async t => {
  const { here, there } = await pairOver(t, server.url)
  for (const [options, adds] of [[{}, false], [{ tags: ['t'] }, false], [{}, true]] as const) {
    await here.cache.set('other', 1)
    await copied(here.cache, 'other', 1)
    const hold = gate()
    const loading = here.cache.getOrSet('k', async ({ tag }) => {
      await hold.pass()
      if (adds) tag('added')
      return 'v1'
    }, options)
    await hold.reached
    await raw.flushdb()
    hold.open()
    t.equal(await loading, 'v1')
    t.equal(await there.cache.get('k'), undefined)
    await until('every local copy has ended', () => here.cache.getLocal('other') === undefined)
    t.equal(await here.cache.get('other'), undefined)
    t.equal(await there.cache.getOrSet('k', () => 'v2', options), 'v2')
    t.equal(await here.cache.getOrSet('k', () => 'v3', options), 'v2')
    await here.cache.delete('k')
  }
})
