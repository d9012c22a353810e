import t from 'tap'
import { randomToken } from '@respite/redis'
import { decodeRecord, encodeRecord, recordId } from '../src/record.ts'

const record = () => ({ id: randomToken(), snapshot: { ns: randomToken(), tags: new Map([['org:7', randomToken()], ['é\u0000', randomToken()]]) }, costMs: 12, ttlMs: 315_360_000_000, etag: 'W/"1"', body: '{"a":"é"}' })

t.test('reads back what it has written', async t => {
  const written = record()
  const bytes = encodeRecord(written)
  t.strictSame(decodeRecord(bytes), { ...written, form: 1, body: Buffer.from(written.body) })
  t.equal(recordId(bytes), written.id)
})

t.test('lies as the scripts expect: version, id, thirteen digits', async t => {
  const written = record()
  const bytes = encodeRecord(written)
  t.equal(bytes[0], 1)
  t.equal(bytes.toString('base64url', 1, 13), written.id)
  t.equal(bytes.toString('latin1', 13, 26), '0000000000000')
})

t.test('a record of another version or codec is foreign', async t => {
  const other = encodeRecord(record())
  other[0] = 2
  t.equal(decodeRecord(other), 'foreign')
  const codec = encodeRecord({ ...record(), snapshot: { ns: randomToken(), tags: new Map() } })
  codec[26 + 2 + 2 + 12] = 9
  t.equal(decodeRecord(codec), 'foreign')
})

t.test('a record cut anywhere before its body is corrupt, and no read goes beyond it', async t => {
  const bytes = encodeRecord(record())
  const head = bytes.length - Buffer.byteLength(record().body)
  for (let length = 1; length < head; length++) t.equal(decodeRecord(bytes.subarray(0, length)), 'corrupt', `${length} bytes`)
  t.equal(decodeRecord(Buffer.alloc(0)), 'corrupt')
})
