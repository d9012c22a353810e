import type { Test } from 'tap'
import type { ReadReport } from '@respite/cache'
import { gate, until } from '@respite/testing'
import type { Pair } from './cache.ts'

/** What a read says of itself, whatever lies behind the cache. */
export function reportsContract (t: Test, name: string, pair: () => Pair): void {
  const spaces = (label: string) => {
    const { here, there } = pair()
    return { a: here.cache.namespace(label), b: there.cache.namespace(label) }
  }
  const reports = () => {
    const seen: ReadReport[] = []
    return { onReport: (report: ReadReport) => { seen.push(report) }, last: () => seen.at(-1)!, seen }
  }

  t.test(`${name}: a read tells where its value comes from, how old it is and how long it is fresh`, async t => {
    const { a, b } = spaces('source')
    const { onReport, last } = reports()
    await a.get('k', { onReport })
    t.strictSame(last(), { key: 'k', source: 'none', ageMs: undefined, ttlLeftMs: 0, missReason: 'absent', waitedMs: 0 })
    await a.getOrSet('k', () => 1, { ttl: '1m', onReport })
    t.match(last(), { source: 'factory', ageMs: 0, ttlLeftMs: 60_000, missReason: 'absent', waitedMs: 0 })
    await b.get('k', { onReport })
    t.match(last(), { source: 'l2', missReason: undefined })
    const { ageMs, ttlLeftMs } = last()
    t.equal(ageMs! + ttlLeftMs, 60_000)
    await until('it is kept here', async () => { await b.get('k', { onReport }); return last().source === 'l1' })
    t.ok(last().ageMs! >= ageMs! && last().ageMs! + last().ttlLeftMs <= 60_001, JSON.stringify(last()))
    await b.getOrSet('k', () => 2, { onReport })
    t.match(last(), { source: 'l1', missReason: undefined })
  })

  t.test(`${name}: a read tells why it was a miss`, async t => {
    const { a, b } = spaces('reason')
    const { onReport, last } = reports()
    await a.getOrSet('k', () => 1, { tags: ['t'] })
    await b.invalidateTags('t')
    await until('all have heard', async () => await a.get('k', { onReport }) === undefined)
    t.equal(last().missReason, 'invalidated')
    await a.getOrSet('k', () => 2, { onReport, tags: ['t'] })
    t.match(last(), { source: 'factory', missReason: 'invalidated' })
    await a.getOrSet('s', () => 1, { swr: '1m', ttl: '1m' })
    await a.expire('s')
    await a.get('s', { onReport })
    t.match(last(), { source: 'none', missReason: 'expired' })
    await a.getOrSet('s', () => 2, { swr: '1m', onReport })
    t.strictSame(last(), { key: 's', source: 'stale', ageMs: undefined, ttlLeftMs: 0, missReason: 'expired', waitedMs: 0 })
    await a.getOrSet('e', () => 1, { staleIfError: '1m' })
    await a.expire('e')
    await a.getOrSet('e', () => { throw new Error('down') }, { staleIfError: '1m', onReport })
    t.match(last(), { source: 'stale', missReason: 'expired' })
  })

  t.test(`${name}: who waited for the run of another is told for how long`, async t => {
    const { a, b } = spaces('waited')
    const { onReport, last } = reports()
    const hold = gate()
    const first = a.getOrSet('k', async () => { await hold.pass(); return 1 })
    await hold.reached
    const second = b.getOrSet('k', () => 2, { onReport })
    t.equal(await b.get('k'), undefined, 'asked after the second, so that one has its answer')
    hold.open()
    t.strictSame(await Promise.all([first, second]), [1, 1])
    t.equal(last().missReason, 'absent')
    t.ok(last().waitedMs > 0)
  })

  t.test(`${name}: reads of many keys tell of each once, and an onlooker that throws breaks none`, async t => {
    const { a } = spaces('each')
    const { onReport, seen } = reports()
    await a.set('x', 1)
    await a.getMany(['x', 'y'], { onReport })
    t.strictSame(seen.map(({ key, source }) => `${key} ${source}`).sort(), ['x l2', 'y none'])
    await a.getOrSetMany(['x', 'y', 'y'], ids => ids.map(() => 5), { onReport })
    t.strictSame(seen.slice(2).map(({ key }) => key).sort(), ['x', 'y'])
    const throwing = { onReport: () => { throw new Error('mine') } }
    t.strictSame([await a.get('x', throwing), await a.get('z', throwing), await a.getOrSet('x', () => 0, throwing), await a.getOrSet('n', () => 7, throwing)], [1, undefined, 1, 7])
  })
}
