import type { Test } from 'tap'
import { gate, until } from '@respite/testing'
import type { Pair } from './cache.ts'

/** What a write through the cache promises, whatever lies behind it. */
export function writingContract (t: Test, name: string, pair: () => Pair): void {
  const spaces = (label: string) => {
    const { here, there } = pair()
    return { a: here.cache.namespace(label), b: there.cache.namespace(label) }
  }

  t.test(`${name}: writeThrough stores what the write gives, with its tags and time to live`, async t => {
    const { a, b } = spaces('written')
    await a.set('k', 'old')
    t.equal(await b.get('k'), 'old')
    t.equal(await a.writeThrough('k', async () => 'new', { ttl: '1h', tags: ['t'] }), 'new')
    await until('all have heard', async () => await b.get('k') === 'new')
    t.equal(await a.get('k'), 'new')
    t.ok((await b.getWithTtl('k'))!.ttlMs > 3_500_000)
    await b.invalidateTags('t')
    await until('all have heard', async () => await a.get('k') === undefined)
    await a.writeThrough('k', () => undefined)
    t.equal(await a.get('k'), undefined, 'a write that leaves nothing leaves no entry')
  })

  t.test(`${name}: R1: a load that began before the write is refused, and who asks during it waits for it`, async t => {
    const { a, b } = spaces('over')
    const [load, commit] = [gate(), gate()]
    let row = 'v1'
    const old = b.getOrSet('k', async () => {
      const loaded = row
      await load.pass()
      return loaded
    })
    await load.reached
    const written = a.writeThrough('k', async () => {
      await commit.pass()
      row = 'v2'
      return row
    })
    await commit.reached
    const during = b.getOrSet('k', () => row)
    load.open()
    t.equal(await old, 'v1')
    commit.open()
    t.equal(await written, 'v2')
    t.equal(await during, 'v2')
    for (const cache of [a, b]) t.equal(await cache.getOrSet('k', () => 'loaded'), 'v2')
  })

  t.test(`${name}: of two writes that overlap the one that is refused drops, for nobody knows whose commit was the last`, async t => {
    const { a, b } = spaces('overlap')
    const [first, second] = [gate(), gate()]
    const one = a.writeThrough('k', async () => { await first.pass(); return 'one' })
    await first.reached
    const two = b.writeThrough('k', async () => { await second.pass(); return 'two' })
    await second.reached
    second.open()
    await two
    first.open()
    await one
    for (const cache of [a, b]) t.equal(await cache.get('k'), undefined)
  })

  t.test(`${name}: R2: a tag or the namespace that is invalidated during the write ends what it stores`, async t => {
    const { a, b } = spaces('bumped')
    for (const end of [() => b.invalidateTags('t'), () => b.clear(), () => b.delete('k')]) {
      const commit = gate()
      const written = a.writeThrough('k', async () => { await commit.pass(); return 'v1' }, { tags: ['t'] })
      await commit.reached
      await end()
      commit.open()
      await written
      for (const cache of [a, b]) t.equal(await cache.get('k'), undefined)
    }
  })

  t.test(`${name}: a write that fails drops the entry, for its commit may have happened; one that cannot be stored says so`, async t => {
    const { a, b } = spaces('failed')
    await a.set('k', 'old')
    await t.rejects(a.writeThrough('k', async () => { throw new TypeError('lost') }), /lost/)
    await until('all have heard', async () => await b.get('k') === undefined)
    t.equal(await a.getOrSet('k', () => 'loaded'), 'loaded', 'nobody waits for it')
    await t.rejects(a.writeThrough('k', () => () => 1), { code: 'FST_RSP_CACHE_NOT_SERIALISABLE' })
    t.equal(await a.get('k'), undefined)
    await t.rejects(a.writeThrough('k', () => 1, { ttl: -1 }), { code: 'FST_RSP_DURATION_INVALID' }, 'before the write')
  })
}
