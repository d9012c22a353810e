import t from 'tap'
import { seeded } from '@respite/testing'
import { decodeJson, encodeJson } from '../../src/codecs/json.ts'

const there = (value: unknown) => decodeJson(encodeJson(value)).value

t.test('keeps what structuredClone keeps', async t => {
  const values = [
    null, true, '', 'tëxt \u0000 \uD800', 0, -0, 1.5, Number.NaN, -Infinity, 12n, undefined, new Date(1_700_000_000_000),
    /a\/b/gi, new Map<unknown, unknown>([[{ a: 1 }, new Set([1n, undefined])]]), [undefined, [null]], { a: undefined, b: { c: [] } },
    { $: 1, b: { $: ['d', 5] } }, new Uint8Array([1, 2, 255]), new Float64Array([0.1, -0]), new Uint8Array([9]).buffer, [new BigInt64Array([-5n])]
  ]
  for (const value of values) t.strictSame(there(value), structuredClone(value))
  t.ok(Object.is(there(-0), -0))
  t.ok(Number.isNaN((there(new Date(Number.NaN)) as Date).getTime()))
})

t.test('keeps any nesting of them', async t => {
  const { below: next } = seeded(t)
  const leaves = [() => null, () => next(1_000) - 500, () => `s${next(99)}"$"`, () => BigInt(next(99)), () => undefined, () => new Date(next(9_999)), () => Number.NaN, () => new Uint8Array([next(255)])]
  const build = (depth: number): unknown => {
    if (depth === 0) return leaves[next(leaves.length)]!()
    const parts = Array.from({ length: next(4) }, () => build(depth - 1))
    switch (next(4)) {
      case 0: return parts
      case 1: return new Set(parts)
      case 2: return new Map(parts.map((part, i) => [i, part]))
      default: return Object.fromEntries(parts.map((part, i) => [i === 0 ? '$' : `k${i}`, part]))
    }
  }
  for (let round = 0; round < 500; round++) {
    const value = build(4)
    t.strictSame(there(value), structuredClone(value)) || t.comment(`round ${round}`)
  }
})

t.test('gives bytes of a Buffer as a Uint8Array, an instance as a plain object, and toJSON its word', async t => {
  class Point { x = 1 }
  t.strictSame(there({ b: Buffer.from('hi') }), { b: new Uint8Array([104, 105]) })
  t.strictSame(there(new Point()), { x: 1 })
  t.strictSame(there({ toJSON: () => ({ n: 1n }) }), { n: 1n })
})

t.test('refuses what has no serialised form', async t => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = { cycle }
  t.throws(() => encodeJson({ f: () => 1 }), /a function has no serialised form/)
  t.throws(() => encodeJson([Symbol('s')]), /a symbol/)
  t.throws(() => encodeJson(Promise.resolve()), /a Promise/)
  t.throws(() => encodeJson(cycle), /contains itself/)
})

t.test('plain JSON comes back frozen through and through, the rest not', async t => {
  const plain = decodeJson(encodeJson({ a: [{ b: 1 }] }))
  t.equal(plain.plain, true)
  t.ok(Object.isFrozen((plain.value as { a: object[] }).a[0]))
  t.equal(decodeJson(encodeJson({ a: new Date(0) })).plain, false)
})

t.test('`__proto__` in cached JSON changes no prototype', async t => {
  // Seen in caches that revive by assignment: the reader's object got the stranger's prototype.
  const texts = [
    '{"__proto__":{"admin":true},"a":1}', '{"\\u005f_proto__":{"admin":true},"a":1}',
    '{"n":{"__proto__":{"admin":true}},"d":{"$":["d",1]},"a":1}', '{"$":["o",{"__proto__":{"admin":true},"a":1}]}'
  ]
  for (const text of texts) {
    const value = decodeJson(text).value as Record<string, unknown>
    t.equal(value['admin'], undefined)
    t.equal(Object.hasOwn(value, '__proto__'), false)
    t.equal(Object.assign({}, value as { n?: object }).n === undefined || !('admin' in (value['n'] as object)), true)
    t.equal(Object.assign({} as Record<string, unknown>, value)['admin'], undefined)
    t.equal(value['a'], 1)
  }
  t.equal(({} as Record<string, unknown>)['admin'], undefined)
  t.strictSame(there(JSON.parse('{"__proto__":{"admin":true},"a":1}')), { a: 1 })
})

t.test('throws on text it did not write', async t => {
  for (const text of ['', '{"a":', '{"$":["zz",1]}', '{"$":5}', '{"$":["b","Object",""]}', '{"$":["i","x"]}', '['.repeat(200_000)]) {
    t.throws(() => decodeJson(text), text.slice(0, 20))
  }
})
