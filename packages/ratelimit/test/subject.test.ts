import { createHash } from 'node:crypto'
import t from 'tap'
import { keyText, subjectOf } from '../src/subject.ts'

t.test('a subject is 22 characters of base64url, whatever it names, and the same each time', async t => {
  for (const value of ['192.0.2.1', '', ' ', 'a:b', '{x}', '*', 'nul\0', 'ä', 'x'.repeat(65_536), '\uD800', 'x'.repeat(300) + '\uD800']) {
    const subject = subjectOf('key', value)
    t.match(subject, /^[\w-]{22}$/)
    t.equal(subjectOf('key', value), subject)
  }
})

t.test('it begins with 16 bytes of the SHA-256 of kind and value', async t => {
  const digest = createHash('sha256').update('ip\x00192.0.2.1').digest().subarray(0, 16)
  t.same(Buffer.from(subjectOf('ip', '192.0.2.1'), 'base64url'), digest, 'a change of it would reset every limit at a release')
})

t.test('an address, a user and a key of one text are three subjects', async t => {
  t.equal(new Set((['ip', 'user', 'key'] as const).map(kind => subjectOf(kind, '192.0.2.1'))).size, 3)
})

t.test('texts that look alike are others: of another normal form, case, length, or with another lone surrogate', async t => {
  const texts = ['\u00E9', 'e\u0301', 'E', 'e', 'e ', 'e\0', '\uD800', '\uD801', '\uDC00', '\uFFFD', '?', 'x'.repeat(256), 'x'.repeat(257)]
  t.equal(new Set(texts.map(text => subjectOf('key', text))).size, texts.length)
})

t.test('a key function gives text or a number, or nothing', async t => {
  t.equal(keyText('api', 'tenant'), 'tenant')
  t.equal(keyText('api', ''), '')
  t.equal(keyText('api', 0), '0')
  t.equal(keyText('api', 17), '17')
  t.equal(keyText('api', 9_007_199_254_740_993n), '9007199254740993')
  t.equal(keyText('api', undefined), undefined)
  t.equal(keyText('api', null), undefined)
})

t.test('anything else is refused without showing it: it may identify somebody', async t => {
  for (const [value, type] of [[{ id: 'secret' }, 'object'], [['secret'], 'object'], [true, 'boolean'], [NaN, 'NaN'], [() => 'secret', 'function'], [Symbol('secret'), 'symbol']] as const) {
    t.throws(() => keyText('api', value), {
      code: 'FST_RSP_RATELIMIT_KEY_INVALID', message: `the key for limit 'api' must be a string or a number, got a value of type ${type}`
    })
  }
})
