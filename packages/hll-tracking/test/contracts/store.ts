import { seeded } from '@respite/testing'
import type { Test } from 'tap'
import { bucketAt, sizeMs } from '../../src/buckets.ts'
import { estimate } from '../../src/hyperloglog/estimate.ts'
import { Registers } from '../../src/hyperloglog/registers.ts'
import { Identities } from '../../src/identity.ts'
import { cardinalityOf, unionOf } from '../../src/sketch.ts'
import { SpaceSaving } from '../../src/space-saving.ts'
import { type BatchEntry, byCalls, type TrackingStore } from '../../src/stores/store.ts'
import { fakeClock, keep, secret, start, type StoreParts, storeParts } from '../assemble.ts'

/** Makes an empty store. */
export type MakeStore = (parts: StoreParts) => TrackingStore

const identities = new Identities(secret, 'encrypted')
const entriesOf = (ids: string[]): BatchEntry[] => ids.map(id => ({ ...identities.of(id), calls: 1 }))
const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `user:${from + i}`)
const minuteMs = start - start % sizeMs.minute
const { keyId, scheme } = identities
const wanted = { limit: 0, schemes: [scheme] }

/** What every store of counts does. */
export function storeContract (t: Test, make: MakeStore): void {
  const fresh = () => {
    const store = make(storeParts(fakeClock()))
    let sequence = 0
    const apply = (ids: string[], at = minuteMs, metric = 'ping') => store.apply({ metric, minuteMs: at, origin: 'here', sequence: ++sequence, keyId, scheme, entries: entriesOf(ids) })
    return { store, apply }
  }
  const day = (ms = minuteMs) => [bucketAt('day', ms, keep)]

  t.test('counts exactly up to 256 ids, then as PFCOUNT does', async t => {
    const { store, apply } = fresh()
    t.same(await store.count('ping', day(), keyId), { value: 0, exact: true })
    await apply(numbered(0, 200))
    await apply(numbered(100, 256))
    t.same(await store.count('ping', day(), keyId), { value: 256, exact: true })
    await apply(numbered(256, 257))
    const of257 = registersOf(numbered(0, 257))
    t.same(await store.count('ping', day(), keyId), { value: estimate(of257.histogram()), exact: false })
    for (let from = 0; from < 4_000; from += 500) await apply(numbered(from, from + 500))
    t.same(await store.count('ping', day(), keyId), { value: estimate(registersOf(numbered(0, 4_000)).histogram()), exact: false })
  })

  t.test('the union of buckets counts each id once, exactly while they are few together', async t => {
    const { store, apply } = fresh()
    const days = [2, 1, 0].map(ago => bucketAt('day', minuteMs - ago * sizeMs.day, keep))
    await apply(numbered(0, 100), days[0]!.startMs)
    await apply(numbered(50, 150), days[1]!.startMs)
    await apply(numbered(140, 256), minuteMs)
    t.same(await store.count('ping', days, keyId), { value: 256, exact: true })
    t.same(await store.count('ping', days.slice(1), keyId), { value: 206, exact: true })
    await apply(numbered(256, 600), minuteMs)
    const all = registersOf(numbered(0, 600))
    t.same(await store.count('ping', days, keyId), { value: estimate(all.histogram()), exact: false }, 'few of one bucket and registers of another')
  })

  t.test('the union of several metrics is made from their ids, or from their raw registers', async t => {
    const { store, apply } = fresh()
    const union = async (...metrics: string[]) => cardinalityOf(unionOf(await Promise.all(metrics.map(metric => store.sketch(metric, day(), keyId)))))
    await apply(numbered(0, 100), minuteMs, 'a')
    await apply(numbered(50, 200), minuteMs, 'b')
    t.same(await union('a', 'b', 'nothing'), { value: 200, exact: true })
    await apply(numbered(100, 300), minuteMs, 'c')
    await apply(numbered(300, 500), minuteMs, 'c')
    t.same(await union('c'), await store.count('c', day(), keyId))
    t.same(await union('a', 'b', 'c'), { value: estimate(registersOf(numbered(0, 500)).histogram()), exact: false })
    for (let from = 500; from < 5_000; from += 250) await apply(numbered(from, from + 250), minuteMs, 'd')
    t.same(await union('a', 'c', 'd'), { value: estimate(registersOf([...numbered(0, 5_000)]).histogram()), exact: false })
    t.same(await union(), { value: 0, exact: true })
  })

  t.test('an event counts in the minute, the hour and the day of its own time', async t => {
    const { store, apply } = fresh()
    await apply(['a', 'b'], minuteMs - 40 * sizeMs.minute)
    await apply(['b', 'c'], minuteMs)
    const at = (granularity: 'minute' | 'hour' | 'day', ms: number) => store.count('ping', [bucketAt(granularity, ms, keep)], keyId)
    t.equal((await at('minute', minuteMs)).value, 2)
    t.equal((await at('minute', minuteMs - 40 * sizeMs.minute)).value, 2)
    t.equal((await at('minute', minuteMs - sizeMs.minute)).value, 0)
    t.equal((await at('hour', minuteMs)).value, 2)
    t.equal((await at('day', minuteMs)).value, 3)
    t.equal(await store.calls('ping', day()), 4)
    t.equal((await store.count('pong', day(), keyId)).value, 0)
  })

  t.test('buckets that are no longer kept are not written; the totals are', async t => {
    const { store, apply } = fresh()
    const late = minuteMs - 5 * sizeMs.hour
    await apply(['a'], late)
    t.equal((await store.count('ping', [bucketAt('minute', late, keep)], keyId)).value, 0)
    t.equal((await store.count('ping', [bucketAt('hour', late, keep)], keyId)).value, 1)
    await apply(['b'], minuteMs - 500 * sizeMs.day)
    t.equal(await store.calls('ping', 'all'), 2)
  })

  t.test('C4: a repeated batch counts once, and one that two processes saw counts its calls twice and its ids once', async t => {
    const { store } = fresh()
    const batch = { metric: 'ping', minuteMs, origin: 'one', sequence: 1, keyId, scheme, entries: entriesOf(['a', 'b']) }
    t.equal(await store.apply(batch), true)
    t.equal(await store.apply(batch), false)
    t.equal(await store.calls('ping', 'all'), 2)
    t.equal(await store.apply({ ...batch, origin: 'two' }), true)
    t.equal(await store.apply({ ...batch, sequence: 2 }), true)
    t.equal(await store.apply(batch), false)
    t.equal(await store.apply({ ...batch, metric: 'pong' }), true, 'each metric has its own sequence')
    t.equal(await store.calls('ping', 'all'), 6)
    t.equal(await store.calls('ping', day()), 6)
    t.same(await store.count('ping', day(), keyId), { value: 2, exact: true })
  })

  t.test('the top list is the one of the TypeScript twin, counter by counter', async t => {
    const random = seeded(t)
    const { store } = fresh()
    const twins = { all: new SpaceSaving(256), day: new SpaceSaving(64) }
    for (let sequence = 1; sequence <= 40; sequence++) {
      const batch = new Map<string, BatchEntry>()
      for (let i = 0; i < 60; i++) {
        const id = String(Math.floor(Math.exp(random.word() / 2 ** 32 * Math.log(900))))
        batch.set(id, { ...identities.of(id), calls: (batch.get(id)?.calls ?? 0) + 1 })
      }
      const entries = byCalls(Array.from(batch.values()))
      await store.apply({ metric: 'ping', minuteMs, origin: 'here', sequence, keyId, scheme, entries })
      for (const twin of Object.values(twins)) twin.add(entries.map(({ member, calls }) => ({ member: member.toString('latin1'), calls })))
    }
    const plain = (entries: Iterable<[string, { count: number, maxOver: number }]>) => Array.from(entries, ([member, { count, maxOver }]) => `${identities.read(Buffer.from(member, 'latin1'))?.id} ${count} ${maxOver}`).sort()
    for (const [twin, buckets] of [[twins.all, 'all'], [twins.day, day()]] as const) {
      const [summary] = await store.top('ping', buckets, wanted)
      t.ok(twin.floor > 0, 'places were taken')
      t.equal(summary!.floor, twin.floor)
      t.same(plain(summary!.entries), plain(twin.entries()))
    }
    const [ten] = await store.top('ping', 'all', { ...wanted, limit: 10 })
    t.equal(ten!.entries.size, 10)
    const least = Math.min(...Array.from(ten!.entries.values(), ({ count }) => count))
    t.ok(Array.from(twins.all.entries()).filter(([, { count }]) => count > least).length < 10, 'they are the first ten')
  })

  t.test('names of metrics do not meet, whatever is in them', async t => {
    const { store, apply } = fresh()
    const names = ['a', 'a:b', 'a}', '{a}', '*', 'a*', '\0', 'ü', '%', ' ']
    for (const [i, name] of names.entries()) await apply(numbered(0, i + 1), minuteMs, name)
    for (const [i, name] of names.entries()) {
      t.equal(await store.calls(name, 'all'), i + 1)
      t.equal((await store.count(name, day(), keyId)).value, i + 1)
    }
  })
}

function registersOf (ids: string[]): Registers {
  const registers = new Registers()
  for (const id of ids) registers.add(identities.of(id).keyed)
  return registers
}
