import { cpuMsOf } from '@respite/testing'
import t from 'tap'
import { deltaMs, directivesOf, wishesOf } from '../../src/route/directives.ts'

t.test('directives are read whatever their case, with quoted arguments', async t => {
  const directives = directivesOf('Public, MAX-AGE=60 , private="set-cookie, x-user",foo="a, max-age=9" , s-maxage="7"')
  t.strictSame([...directives.keys()], ['public', 'max-age', 'private', 'foo', 's-maxage'])
  t.equal(directives.get('private'), 'set-cookie, x-user')
  t.equal(deltaMs(directives, 'max-age'), 60_000)
  t.equal(deltaMs(directives, 's-maxage'), 7_000)
  t.equal(deltaMs(directives, 'stale-if-error'), undefined)
  t.equal(directivesOf(undefined).size, 0)
})

t.test('a number of seconds that is none, or said twice in two ways, is NaN; one too large is bounded', async t => {
  for (const text of ['max-age=', 'max-age', 'max-age=-1', 'max-age=1.5', 'max-age=x', 'max-age=1, max-age=2']) t.ok(Number.isNaN(deltaMs(directivesOf(text), 'max-age')), text)
  t.equal(deltaMs(directivesOf('max-age=1, max-age=1'), 'max-age'), 1_000)
  t.equal(deltaMs(directivesOf(`max-age=${'9'.repeat(30)}`), 'max-age'), 2 ** 31 * 1_000)
})

t.test('a hostile header is read in no time', async t => {
  const hostile = ['a="'.repeat(5_000), '"\\'.repeat(5_000), ' '.repeat(15_000) + '=', 'a =' + ' '.repeat(15_000)]
  t.ok(cpuMsOf(() => hostile.forEach(directivesOf)) < 1_000)
})

t.test('a request without wishes has none; Pragma speaks where Cache-Control is silent', async t => {
  for (const header of [undefined, '', 'no-transform', 'max-age=x y']) t.equal(wishesOf(header, undefined)?.noCache ?? false, false)
  t.equal(wishesOf('no-transform', undefined), undefined)
  t.equal(wishesOf(undefined, 'no-cache')!.noCache, true)
  t.equal(wishesOf('max-age=5', 'no-cache')!.noCache, false)
  t.match(wishesOf('max-age=x, min-fresh=y, max-stale=z', undefined), { maxAgeMs: 0, minFreshMs: Number.POSITIVE_INFINITY, maxStaleMs: 0 })
  t.equal(wishesOf('max-stale', undefined)!.maxStaleMs, Number.POSITIVE_INFINITY)
})
