import { isDeepStrictEqual } from 'node:util'
import t from 'tap'
import { encode } from '@msgpack/msgpack'
import { seeded } from '@respite/testing'
import { decodeJson, encodeJson } from '../../src/codecs/json.ts'
import { decodeMsgpack, encodeMsgpack } from '../../src/codecs/msgpack.ts'
import { anyValue, kinds } from '../any-value.ts'

const there = (value: unknown) => decodeMsgpack(encodeMsgpack(value)).value

t.test('keeps what structuredClone keeps', async t => {
  for (const [i, value] of kinds.entries()) t.ok(isDeepStrictEqual(there(value), structuredClone(value)), `kind ${i}`)
  t.ok(Number.isNaN((there(new Date(Number.NaN)) as Date).getTime()))
})

t.test('keeps any nesting of them, as JSON does', async t => {
  const chance = seeded(t)
  for (let round = 0; round < 400; round++) {
    const value = anyValue(chance, 4)
    const clone = structuredClone(value)
    t.ok(isDeepStrictEqual(there(value), clone), `round ${round}`)
    t.ok(isDeepStrictEqual(decodeJson(encodeJson(value)).value, clone), `round ${round} in JSON`)
  }
})

t.test('gives bytes of a Buffer as a Uint8Array of their own, an instance as a plain object, and toJSON its word', async t => {
  class Point { x = 1 }
  const bytes = encodeMsgpack({ b: Buffer.from('hi') })
  const read = decodeMsgpack(bytes).value as { b: Uint8Array }
  t.strictSame(read, { b: new Uint8Array([104, 105]) })
  t.equal(read.b.buffer.byteLength, 2, 'what was read is not kept with it')
  t.strictSame(there(new Point()), { x: 1 })
  t.strictSame(there({ toJSON: () => ({ n: 1n }) }), { n: 1n })
})

t.test('refuses what has no serialised form', async t => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = { cycle }
  t.throws(() => encodeMsgpack({ f: () => 1 }), /a function has no serialised form/)
  t.throws(() => encodeMsgpack([Symbol('s')]), /a symbol/)
  t.throws(() => encodeMsgpack(Promise.resolve()), /a Promise/)
  t.throws(() => encodeMsgpack(cycle), /contains itself/)
})

t.test('what is as deep as it may be goes there and back', async t => {
  const nest = (wrap: (inner: unknown) => unknown, times: number) => Array.from({ length: times }).reduce(wrap, 1)
  for (const value of [nest(inner => [inner], 500), nest(inner => ({ inner }), 500), nest(inner => new Map([['k', inner]]), 150)]) t.ok(isDeepStrictEqual(there(value), value))
  t.throws(() => encodeMsgpack(nest(inner => [inner], 600)), /nested deeper than 500/)
})

t.test('what JSON knows comes back frozen through and through, the rest not', async t => {
  const plain = decodeMsgpack(encodeMsgpack({ a: [{ b: 1.5, c: 'x' }] }))
  t.equal(plain.plain, true)
  t.ok(Object.isFrozen((plain.value as { a: object[] }).a[0]))
  for (const value of [{ a: new Date(0) }, [1n], { b: new Uint8Array(3) }, [undefined]]) t.equal(decodeMsgpack(encodeMsgpack(value)).plain, false)
})

t.test('`__proto__` is not written, and a record that holds it is refused', async t => {
  t.strictSame(there(JSON.parse('{"__proto__":{"admin":true},"a":1}')), { a: 1 })
  const hostile = Buffer.from(encode({ XXproto__: { admin: true }, a: 1 }))
  hostile.write('__', hostile.indexOf('XX'))
  t.throws(() => decodeMsgpack(hostile), /__proto__/)
  // Within an escape, names are values of a list.
  const escaped = encodeMsgpack({ '\uD800': 1, XXproto__: { admin: true } })
  escaped.write('__', escaped.indexOf('XX'))
  const read = decodeMsgpack(escaped).value as object
  t.equal('admin' in read, false)
  t.strictSame(Object.keys(read), ['\uD800'])
})

t.test('throws on bytes it did not write, cut short or changed, and takes no memory for what they only announce', async t => {
  const chance = seeded(t)
  const written = encodeMsgpack(kinds)
  for (let length = 0; length < written.length; length += 1 + chance.below(20)) t.throws(() => decodeMsgpack(written.subarray(0, length)), `${length} bytes`)
  t.throws(() => decodeMsgpack(Buffer.concat([written, Buffer.of(1)])), 'one byte more')
  const marked = (letter: string, ...parts: number[]) => Buffer.from([0x91 + parts.length, 0xD4, 0, letter.charCodeAt(0), ...parts])
  const hostile = [
    Buffer.of(0xC1), Buffer.of(0xC4, 1, 7), Buffer.of(0xD4, 0, 0x64), Buffer.of(0xD4, 9, 0x64), Buffer.of(0xC7, 0, 0), marked('z', 1), marked('b', 1, 1), marked('m', 1), marked('i', 0xA0 + 1, 0x78),
    Buffer.concat([Buffer.alloc(200_000, 0x91), Buffer.of(1)])
  ]
  for (const bytes of hostile) t.throws(() => decodeMsgpack(bytes), bytes.toString('hex').slice(0, 20))
  // Arrays within arrays, each of two million or 65,535: seen to take 4 GB for 5,000 bytes.
  for (const head of [[0xDD, 0, 0x1F, 0, 0], [0xDC, 0xFF, 0xFF], [0xDF, 0, 0x1F, 0, 0], [0xDE, 0xFF, 0xFF], [0x9F]]) {
    t.throws(() => decodeMsgpack(Buffer.concat(Array.from({ length: 1_000 }, () => Buffer.from(head)))), /announces more/)
  }
  for (let round = 0; round < 2_000; round++) {
    const changed = Buffer.from(written)
    for (let i = chance.below(4); i >= 0; i--) changed[chance.below(changed.length)] = chance.below(256)
    try {
      decodeMsgpack(changed)
    } catch (error) {
      t.ok(error instanceof Error)
    }
  }
})
