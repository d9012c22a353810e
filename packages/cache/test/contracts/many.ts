import type { Test } from 'tap'
import { gate, until } from '@respite/testing'
import { type Pair, naming } from './cache.ts'

/** Many keys in one call, whatever lies behind the cache. */
export function manyContract (t: Test, name: string, pair: () => Pair): void {
  const spaces = (label: string) => {
    const { here, there } = pair()
    return { a: here.cache.namespace(label), b: there.cache.namespace(label) }
  }

  t.test(`${name}: getMany and setMany: values in the order of their keys, absent is undefined, the last of one key wins`, async t => {
    const { a, b } = spaces('many')
    await a.setMany([['x', 1], ['y', null], ['x', { n: 2 }]], { ttl: '1h', tags: ['t'] })
    for (const cache of [b, a, a]) t.strictSame(await cache.getMany(['y', 'none', 'x', 'x']), [null, undefined, { n: 2 }, { n: 2 }])
    t.strictSame(await a.getMany([]), [])
    t.ok((await b.getWithTtl('x'))!.ttlMs > 3_000_000)
    await a.invalidateTags('t')
    t.strictSame(await a.getMany(['x', 'y']), [undefined, undefined])
    await t.rejects(a.setMany([['fine', 1], ['bad', () => 1]]), { code: 'FST_RSP_CACHE_NOT_SERIALISABLE', message: naming('bad', pair()) })
    t.equal(await a.get('fine'), undefined, 'nothing is stored where one cannot be')
  })

  t.test(`${name}: getOrSetMany loads what is missing by one call, and stores each under its key`, async t => {
    const { a, b } = spaces('load-many')
    await a.set('user:2', 'two')
    const calls: number[][] = []
    const load = (ids: number[]) => {
      calls.push([...ids].sort())
      return new Map(ids.filter(id => id !== 4).map(id => [id, `loaded ${id}`]))
    }
    const options = { key: (id: number) => `user:${id}`, tags: ['users'] }
    t.strictSame(await b.getOrSetMany([1, 2, 3, 4, 3], load, options), ['loaded 1', 'two', 'loaded 3', undefined, 'loaded 3'])
    t.strictSame(calls, [[1, 3, 4]])
    t.strictSame(await a.getMany(['user:1', 'user:3', 'user:4']), ['loaded 1', 'loaded 3', undefined])
    t.strictSame(await a.getOrSetMany([1, 4], ids => ids.map(() => 'in order'), options), ['loaded 1', 'in order'])
    await t.rejects(a.getOrSetMany([7, 8], () => ['one'], options), { code: 'FST_RSP_CACHE_BATCH_INVALID', message: /2 missing ids .* 1 values/ })
    await t.rejects(a.getOrSetMany([7, 8], () => { throw new TypeError('no rows') }, options), /no rows/)
    t.strictSame(await a.getOrSetMany([7, 8], ids => ids, options), [7, 8])
  })

  t.test(`${name}: R1: an invalidation during getOrSetMany wins for its key, and the other keys are stored`, async t => {
    const { a, b } = spaces('raced-many')
    const hold = gate()
    const old = a.getOrSetMany(['x', 'y'], async ids => {
      await hold.pass()
      return ids.map(() => 'v1')
    })
    await hold.reached
    await b.delete('x')
    t.equal(await a.getOrSet('x', () => 'v2'), 'v2', 'who asks afterwards does not join')
    hold.open()
    t.strictSame(await old, ['v1', 'v1'])
    t.strictSame(await b.getMany(['x', 'y']), ['v2', 'v1'])
  })

  t.test(`${name}: calls that share keys load each once, and do not wait for each other in a circle`, async t => {
    const { a, b } = spaces('crossed-many')
    const loaded: string[] = []
    const load = async (ids: string[]) => {
      loaded.push(...ids)
      return ids.map(id => id.toUpperCase())
    }
    const [one, two] = await Promise.all([a.getOrSetMany(['x', 'y', 'z'], load), b.getOrSetMany(['z', 'y', 'w'], load)])
    t.strictSame([one, two], [['X', 'Y', 'Z'], ['Z', 'Y', 'W']])
    t.strictSame(loaded.sort(), ['w', 'x', 'y', 'z'])
  })

  t.test(`${name}: what is stale is answered by getOrSetMany, and refreshed by one call`, async t => {
    const { a } = spaces('stale-many')
    await a.getOrSetMany(['x', 'y'], ids => ids.map(() => 1), { swr: '1m' })
    await a.expire('x', 'y')
    const calls: string[][] = []
    const load = (ids: string[]) => {
      calls.push([...ids].sort())
      return ids.map(() => 2)
    }
    t.strictSame(await a.getOrSetMany(['x', 'y', 'new'], load, { swr: '1m' }), [1, 1, 2])
    await until('they are refreshed', async () => (await a.getMany(['x', 'y'])).every(value => value === 2))
    t.strictSame(calls, [['new', 'x', 'y']])
  })
}
