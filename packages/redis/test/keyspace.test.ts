import { randomInt } from 'node:crypto'
import t from 'tap'
import { wild } from '../src/glob.ts'
import { createKeyspace, decodePart, encodePart } from '../src/keyspace.ts'

/** Numbers that look like chance and come again with the same seed: xorshift32. */
function chanceOf (seed: number): (below: number) => number {
  let state = seed
  return below => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}

const awkward = ['*', '?', '[', ']', '{', '}', ':', '%', '\\', '^', '-', '.', '~', '_', '\u0000', '\n', ' ', '/', '%25', '%u', '%uD800', '\uD800', '\uDFFF', '😀', 'ü', 'a', 'Z', '0', '\u{10FFFF}', '\uFEFF', '"', '\'', '(', ')', '!']

function text (chance: (below: number) => number): string {
  return Array.from({ length: chance(12) }, () => chance(4) === 0 ? String.fromCharCode(chance(0x10000)) : awkward[chance(awkward.length)]!).join('')
}

t.test('any parts come back as they were, no two become one, and none breaks out of its place', async t => {
  const seed = randomInt(1, 2 ** 31)
  t.comment(`seed ${seed}`)
  const chance = chanceOf(seed)
  const shape = createKeyspace('app').define('val:<ns>:{<key>}:<part>')
  const seen = new Map<string, string>()
  for (let i = 0; i < 20_000; i++) {
    const parts = [text(chance), text(chance), text(chance)]
    const key = shape.key(...parts)
    const name = JSON.stringify(parts)
    if (seen.has(key) && seen.get(key) !== name) t.fail(`${name} and ${seen.get(key)} are one key`)
    seen.set(key, name)
    if (JSON.stringify(shape.parts(key)) !== name) t.fail(`${name} came back as ${JSON.stringify(shape.parts(key))}`)
    if (!/^app:v1:val:[\w.~%-]+:\{[\w.~%-]+\}:[\w.~%-]+$/.test(key)) t.fail(`${name} broke out: ${key}`)
    if (!shape.glob(...parts).test(key)) t.fail(`${name} is not matched by its own pattern`)
  }
  t.ok(seen.size > 10_000)
})

t.test('64 KB of anything is a part', async t => {
  const shape = createKeyspace('app').define('val:{<key>}')
  for (const part of ['*'.repeat(65_536), '\u0000'.repeat(65_536), 'x'.repeat(65_536), '\uD800'.repeat(65_536)]) t.same(shape.parts(shape.key(part)), [part])
})

t.test('the empty part, a percent and lone surrogates have each their own writing', async t => {
  t.same(['', '%', '%25', '\uD800', '%uD800', 'ü', '!\'()*'].map(encodePart), ['%', '%25', '%2525', '%uD800', '%25uD800', '%C3%BC', '%21%27%28%29%2A'])
  t.equal(decodePart('%E0%A4'), undefined, 'foreign bytes are nobody\'s part')
})

t.test('a key of another shape, prefix or version has no parts', async t => {
  const space = createKeyspace('app')
  const shape = space.define('val:<ns>:{<key>}')
  for (const foreign of ['', 'app:v1:val:a:{b}:c', 'app:v2:val:a:{b}', 'other:v1:val:a:{b}', 'app:v1:val:a:b', 'app:v1:val::{b}', 'xapp:v1:val:a:{b}', 'app:v1:val:a:{b}\n']) {
    t.equal(shape.parts(foreign), undefined, foreign)
  }
  t.equal(shape.prefix, 'app:v1:val:')
  t.equal(createKeyspace('a*:{b}').define('x:<y>').prefix, 'a%2A%3A%7Bb%7D:v1:x:')
})

t.test('a pattern\'s star matches text within its part only, and nothing else of it is special', async t => {
  const shape = createKeyspace('app').define('val:<ns>:{<key>}')
  const users = shape.glob('ns', wild('user:*'))
  t.equal(users.match, 'app:v1:val:ns:{user%3A*}')
  t.ok(users.test(shape.key('ns', 'user:1')) && users.test(shape.key('ns', 'user:')) && users.test(shape.key('ns', 'user:*')))
  t.notOk(users.test(shape.key('ns', 'xuser:1')) || users.test(shape.key('other', 'user:1')) || users.test('app:v1:val:ns:{user%3A1}:more'))
  const literal = shape.glob('ns', '*')
  t.ok(literal.test(shape.key('ns', '*')))
  t.notOk(literal.test(shape.key('ns', 'a')))
  t.ok(shape.glob('ns', wild('')).test(shape.key('ns', '')))
  t.notOk(shape.glob('ns', wild('[ab]?')).test(shape.key('ns', 'ax')))
  t.ok(shape.glob('ns', wild('*')).test(shape.key('ns', '')))
  t.ok(shape.glob('ns', wild('a**b*')).test(shape.key('ns', 'a-b')))
})
