import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { type Clock, randomToken, systemClock } from '@respite/redis'
import { gate, startRedis, until } from '@respite/testing'
import { CacheEvents } from '../src/events.ts'
import { jobOf } from '../src/get-or-set-options.ts'
import { Journal } from '../src/journal.ts'
import { Places, cacheShapes } from '../src/keys.ts'
import { Loader } from '../src/loader.ts'
import { LocalCopies } from '../src/local-copies.ts'
import { Meters } from '../src/metrics.ts'
import { Reader } from '../src/reader.ts'
import { encodeRecord } from '../src/record.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { Waiting } from '../src/waiting.ts'
import { assemble } from './assemble.ts'

const never = 2 ** 31 - 1

t.test('those who wait for a holder that has died run one factory when its lease has ended', async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const [dead, alive] = await Promise.all([1, 2].map(async () => {
    const app = await assemble({ url: server.url, boot: 'wait' }, { lease: 400 })
    t.teardown(() => app.close())
    await app.ready()
    return app
  }))
  const hold = gate()
  const lost = dead!.cache.getOrSet('k', () => hold.pass().then(() => 'late'))
  await hold.reached
  let runs = 0
  const waiters: Promise<unknown>[] = []
  for (let i = 0; i < 10; i++) {
    waiters.push(alive!.cache.getOrSet('k', async () => { runs++; await setImmediate(); return 'new' }))
    await setImmediate() // a question of its own
  }
  t.strictSame(new Set(await Promise.all(waiters)), new Set(['new']))
  t.equal(runs, 1)
  hold.open()
  t.equal(await lost, 'late')
  t.equal(await dead!.cache.getOrSet('k', () => 'again'), 'new', 'what comes late is not stored')
})

t.test('a push that comes before the answer to which it belongs wakes whoever waits upon that answer', async t => {
  const waiting = new Waiting()
  const [watch, other] = [waiting.watch('k'), waiting.watch('other')]
  waiting.wake('k')
  await watch.pause(never)
  const ended: string[] = []
  const paused = [watch.pause(never).then(() => ended.push('k')), other.pause(never).then(() => ended.push('other'))]
  await setImmediate()
  t.strictSame(ended, [], 'one push, one wake')
  waiting.wake('k')
  await paused[0]
  t.strictSame(ended, ['k'], 'each key its own')
  waiting.wake('other')
  await paused[1]
})

t.test('who has stopped to wait is not kept', t => {
  const waiting = new Waiting()
  const watch = waiting.watch('k')
  watch.end()
  const heard: string[] = []
  watch.wake = () => { heard.push('k') }
  waiting.wake('k')
  t.strictSame(heard, [])
  t.end()
})

/** Wakes by pushes alone. */
class Unhurried extends Waiting {
  readonly pauses: number[] = []

  override watch (key: string) {
    const watch = super.watch(key)
    const pause = watch.pause.bind(watch)
    watch.pause = ms => {
      this.pauses.push(ms)
      return pause(never)
    }
    return watch
  }

  override ends (outcome: Promise<unknown>, ms: number) {
    this.pauses.push(ms)
    return super.ends(outcome, never)
  }
}

/** A loader over a store in memory, woken by pushes alone; its pauses are written down. */
async function unhurried (t: Test, { clock = systemClock, leaseMs = never }: { clock?: Clock, leaseMs?: number }) {
  const app = await assemble({})
  t.teardown(() => app.close())
  const { invalidations, chance, metrics, keyspace } = app.respite
  const places = new Places(cacheShapes(keyspace), 'waiting')
  const journal = new Journal('waiting', new Meters(metrics, 'waiting'), new CacheEvents(() => undefined))
  const store = new MemoryStore(clock, { maxItems: 9, maxBytes: 9_999 })
  const local = new LocalCopies(invalidations, clock, { maxItems: 9, maxBytes: 9_999, maxAgeMs: 60_000, onEvict: () => undefined })
  const waiting = new Unhurried()
  const reader = new Reader({ store, places, local, invalidations, clock, journal, copy: false })
  const writing = { codec: 'json' as const, compression: undefined }
  const loader = new Loader({ store, reader, places, waiting, clock, chance, journal, leaseMs, copy: false, writing, onHidden: () => undefined })
  const { ns } = await store.mint([], true)
  await store.read({ key: 'k', tags: [], lease: { token: 'holder', leaseMs, except: '', waited: '', clock: false, withinMs: undefined } })
  return { loader, store, ns: ns!, pauses: waiting.pauses, push: () => waiting.wake(places.val('k')) }
}

t.test('a fill that ends while the word of its lease is on its way is seen at once, not by the next look', async t => {
  const { loader, store, ns, push } = await unhurried(t, {})
  const late = gate()
  const read = store.read.bind(store)
  store.read = async question => {
    const reply = await read(question)
    await late.pass()
    return reply
  }
  const loading = loader.load(jobOf({ key: 'k', factory: () => 'own' }, {}, 60_000))
  await late.reached
  await store.fill('k', 'holder', { record: encodeRecord({ id: randomToken(), snapshot: { ns, tags: new Map() }, costMs: 0, ttlMs: 60_000, body: '"v1"' }), softMs: 60_000, hardMs: 60_000, withinMs: undefined })
  push()
  late.open()
  t.equal((await loading).answer!.forCaller(), 'v1')
})

t.test('who meets the second holder before the first one was given up waits for it a whole lease, and does not run beside it', async t => {
  let nowMs = 0
  const { loader, pauses, push } = await unhurried(t, { clock: { monotonicMs: () => nowMs, wallMs: () => nowMs }, leaseMs: 400 })
  let runs = 0
  const hold = gate()
  const load = () => loader.load(jobOf({ key: 'k', factory: () => { runs++; return hold.pass() } }, {}, 60_000))
  nowMs = 10
  const waiter = load()
  await until('it waits', () => pauses.length === 1)
  nowMs = 405 // the lease of the first has ended, and the waiter would wait 5 ms more
  const second = load()
  await hold.reached
  push()
  await until('it waits again', () => pauses.length === 2)
  t.equal(pauses[1], 400)
  hold.open()
  await Promise.all([waiter, second])
  t.equal(runs, 1)
})
