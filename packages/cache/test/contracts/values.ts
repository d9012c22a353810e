import { isDeepStrictEqual } from 'node:util'
import type { Test } from 'tap'
import { seeded, until } from '@respite/testing'
import type { NamespaceOptions } from '@respite/cache'
import { hasAlgorithm } from '../../src/codecs/compression.ts'
import { anyValue, kinds } from '../any-value.ts'
import type { Pair } from './cache.ts'

/** Every way in which values are written. */
const ways: readonly [string, NamespaceOptions][] = (['json', 'msgpack'] as const).flatMap(codec => [
  [codec, { codec, compression: { algorithm: 'none' } }] as [string, NamespaceOptions],
  ...(['gzip', 'brotli', 'zstd'] as const).filter(hasAlgorithm).map(algorithm => [`${codec} and ${algorithm}`, { codec, compression: { algorithm, thresholdBytes: 0 } }] as [string, NamespaceOptions])
])

/** What becomes of values on their way, whatever lies behind the cache. */
export function valuesContract (t: Test, name: string, pair: () => Pair): void {
  for (const [way, options] of ways) {
    const spaces = (label: string, more: NamespaceOptions = {}) => {
      const { here, there } = pair()
      const ns = `${label}-${way.replaceAll(' ', '-')}`
      return { a: here.cache.namespace(ns, { ...options, ...more }), b: there.cache.namespace(ns, { ...options, ...more }) }
    }

    t.test(`${name}: ${way}: values come back as structuredClone brings them, set, filled and written through`, async t => {
      const { a, b } = spaces('kinds')
      const values = kinds.filter(value => value !== undefined)
      await a.setMany(values.map((value, i) => [`set ${i}`, value]))
      await Promise.all(values.map((value, i) => i % 2 === 0 ? a.getOrSet(`filled ${i}`, () => value) : a.writeThrough(`filled ${i}`, () => value)))
      for (const [i, value] of values.entries()) {
        for (const read of [await b.get(`set ${i}`), await b.get(`set ${i}`), await b.get(`filled ${i}`)]) t.ok(isDeepStrictEqual(read, value), `kind ${i}`)
      }
      await a.getOrSet('nothing', () => undefined, { negativeTtl: '1m' })
      t.equal(await b.getOrSet('nothing', () => 'run'), undefined)
      for (const value of [() => 1, [Symbol('s')], cycle()]) await t.rejects(a.set('bad', value), { code: 'FST_RSP_CACHE_NOT_SERIALISABLE' })
    })

    t.test(`${name}: ${way}: any value comes back, small and large`, async t => {
      const { a, b } = spaces('any')
      const chance = seeded(t)
      for (let round = 0; round < 12; round++) {
        const values = Array.from({ length: 8 }, () => ({ value: anyValue(chance, 3), large: round % 3 === 0 ? chance.bytes(9_000).toString('hex') : '' }))
        await a.setMany(values.map((value, i) => [`${round} ${i}`, value]))
        const read = await b.getMany(values.map((_, i) => `${round} ${i}`))
        t.ok(isDeepStrictEqual(read, values), `round ${round}`)
      }
    })

    t.test(`${name}: ${way}: plain values are frozen and shared, the rest is copied for each caller`, async t => {
      const { a, b } = spaces('shared')
      await a.set('plain', { list: [{ n: 1 }], text: 'x'.repeat(2_000) })
      await a.set('rich', { at: new Date(0), bytes: new Uint8Array([1]) })
      await until('there are local copies', async () => await b.get('plain') !== undefined && await b.get('rich') !== undefined && b.getLocal('plain') !== undefined && b.getLocal('rich') !== undefined)
      t.equal(await b.get('plain'), await b.get('plain'))
      t.throws(() => (b.getLocal('plain') as { list: unknown[] }).list.push(2), TypeError)
      const rich = b.getLocal('rich') as { at: Date, bytes: Uint8Array }
      rich.at.setTime(9)
      rich.bytes[0] = 9
      t.strictSame(b.getLocal('rich'), { at: new Date(0), bytes: new Uint8Array([1]) })
    })
  }
}

function cycle (): unknown {
  const one: Record<string, unknown> = {}
  one['self'] = one
  return one
}
