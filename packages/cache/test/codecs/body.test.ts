import t from 'tap'
import { type Body, type Stored, bodyOf, decodeValue, encodeValue, isReadable, storedOf } from '../../src/codecs/body.ts'
import { hasAlgorithm, syncBytes } from '../../src/codecs/compression.ts'

const gzip = (thresholdBytes: number) => ({ algorithm: 'gzip', thresholdBytes } as const)
const jsonOf = (bytes: number): Body => encodeValue('x'.repeat(bytes - 2), 'json')
const valueOf = async (stored: Stored) => decodeValue(await bodyOf(stored)).value

t.test('a form tells codec and compression, and keeps its number for ever', async t => {
  const value = { text: 'x'.repeat(100) }
  const forms = [['json', undefined, 0x01], ['msgpack', undefined, 0x02], ['json', 'gzip', 0x11], ['msgpack', 'gzip', 0x12], ['json', 'brotli', 0x21], ['msgpack', 'brotli', 0x22]] as const
  for (const [codec, algorithm, form] of forms) {
    const stored = await storedOf(encodeValue(value, codec), algorithm && { algorithm, thresholdBytes: 0 })
    t.equal(stored.form, form)
    t.strictSame(await valueOf(stored), value)
  }
})

t.test('what an earlier release has written is read', async t => {
  const value = { text: 'x'.repeat(100), at: new Date(5) }
  const written: [number, string][] = [
    [0x01, `eyJ0ZXh0Ijoi${'eHh4'.repeat(33)}eCIsImF0Ijp7IiQiOlsiZCIsNV19fQ==`],
    [0x02, `gqR0ZXh02WR4${'eHh4'.repeat(33)}omF0ktQAZAU=`],
    [0x11, 'AAAAgh+LCAAAAAAAAAOrVipJrShRslKqoANQ0lFKLFGyqlZSUbKKVkpR0jGNra0FAP6XIA6CAAAA'],
    [0x12, 'AAAAdB+LCAAAAAAAAANrWlKSWlFyM6WCDmBRYsmkKwwprAD3pD+adAAAAA=='],
    [0x21, 'AAAAghuBAAAAym2pH4urlk9VDIKG9mEwVhIBGEh6419GlJFcoybQ5pHrzAA='],
    [0x22, 'AAAAdBtzAABAJ5cEBG0P7HAOMMAWYlLpglsg91qm+BAT7DM4'],
    [0x31, 'AAAAgii1L/0ggi0BAPh7InRleHQiOiJ4IiwiYXQiOnsiJCI6WyJkIiw1XX19AQAgBUg='],
    [0x32, 'AAAAdCi1L/0gdL0AAIiCpHRleHTZZHiiYXSS1ABkBQEAIAVH']
  ]
  for (const [form, base64] of written.filter(([form]) => isReadable(form))) t.strictSame(await valueOf({ form, body: Buffer.from(base64, 'base64') }), value, `form ${form}`)
})

t.test('an unknown codec or compression is not readable, nor zstd on a Node without it', async t => {
  for (const form of [0x01, 0x02, 0x11, 0x12, 0x21, 0x22]) t.equal(isReadable(form), true, `${form}`)
  for (const form of [0x00, 0x03, 0x0F, 0x10, 0x13, 0x41, 0xF1, 0xFF]) t.equal(isReadable(form), false, `${form}`)
  for (const form of [0x31, 0x32]) t.equal(isReadable(form), hasAlgorithm('zstd'))
})

t.test('values are compressed from the threshold on, and up to the bound', async t => {
  for (const threshold of [200, syncBytes + 200]) {
    t.equal((await storedOf(jsonOf(threshold - 1), gzip(threshold))).form, 0x01)
    t.equal((await storedOf(jsonOf(threshold), gzip(threshold))).form, 0x11)
  }
  t.equal((await storedOf(jsonOf(5_000), gzip(0), 5_000)).form, 0x11)
  t.equal((await storedOf(jsonOf(5_001), gzip(0), 5_000)).form, 0x01)
  t.equal((await storedOf(jsonOf(50_000), undefined)).form, 0x01)
  t.equal((await storedOf(encodeValue('é'.repeat(150), 'json'), gzip(302))).form, 0x11, 'it counts bytes, not characters')
})

t.test('what does not become shorter is stored as it is', async t => {
  const tiny = await storedOf(encodeValue([1], 'msgpack'), gzip(0))
  t.strictSame(tiny, { form: 0x02, body: Buffer.of(0x91, 1) })
})
