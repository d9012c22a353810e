import { cpuMsOf } from '@respite/testing'
import t from 'tap'
import { parsePattern } from '../src/pattern.ts'

t.test('a star stands for any text, and nothing else is special', async t => {
  const cases: [string, string, boolean][] = [
    ['user:*', 'user:1', true], ['user:*', 'user:', true], ['user:*', 'users', false], ['*', '', true], ['*', 'a\u0000\nb', true],
    ['a*b*c', 'a1b2c', true], ['a*b*c', 'abc', true], ['a*b*c', 'acb', false], ['ab*ba', 'aba', false], ['exact', 'exact', true], ['exact', 'exactly', false],
    ['[ab]?.\\*', '[ab]?.\\x', true], ['[ab]', 'a', false], ['a?', 'ab', false], ['a**b', 'a-b', true], ['*3A*', 'user:1', false], ['{*}', '{x}', true]
  ]
  for (const [pattern, key, matches] of cases) t.equal(parsePattern(pattern).test(key), matches, `${pattern} ${JSON.stringify(key)}`)
})

t.test('a hostile pattern costs no time', async t => {
  let matches = true
  t.ok(cpuMsOf(() => { matches = parsePattern('a*a*a*a*a*a*a*a*b').test('a'.repeat(65_536)) }) < 1_000)
  t.equal(matches, false)
})

t.test('refuses more stars than eight, and what is no text', async t => {
  t.throws(() => parsePattern('*a'.repeat(9)), { code: 'FST_RSP_CACHE_PATTERN_INVALID' })
  t.throws(() => parsePattern(5 as never), { code: 'FST_RSP_CACHE_PATTERN_INVALID', message: /got 5/ })
  t.doesNotThrow(() => parsePattern('*'.repeat(50)))
})
