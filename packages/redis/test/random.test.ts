import t from 'tap'
import { randomSecret, randomToken, systemChance } from '../src/random.ts'

t.test('tokens are 16 characters of base64url and never the same', async t => {
  const tokens = new Set(Array.from({ length: 10_000 }, randomToken))
  t.equal(tokens.size, 10_000)
  t.ok([...tokens].every(token => /^[\w-]{16}$/.test(token)))
})

t.test('every character of a token takes every value', async t => {
  const seen = Array.from({ length: 16 }, () => new Set<string>())
  for (let i = 0; i < 10_000; i++) [...randomToken()].forEach((character, at) => seen[at]!.add(character))
  t.same(seen.map(characters => characters.size), new Array(16).fill(64))
})

t.test('a token that was given out does not change when the pool is filled anew', async t => {
  const first = randomToken()
  const copy = [...first].join('')
  for (let i = 0; i < 1_000; i++) randomToken()
  t.equal(first, copy)
})

t.test('secrets are as long as asked for; chance lies in [0, 1)', async t => {
  t.equal(randomSecret(32).length, 32)
  t.not(randomSecret(32).toString('hex'), randomSecret(32).toString('hex'))
  for (let i = 0; i < 1_000; i++) if (!(systemChance() >= 0 && systemChance() < 1)) t.fail('out of bounds')
})
