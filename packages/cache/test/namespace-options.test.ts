import t from 'tap'
import { type NamespaceOptions, rootSettings, settingsUnder } from '../src/namespace-options.ts'
import { resolveOptions } from '../src/options.ts'

const options = resolveOptions({ ttl: '1h', maxItems: 7, codec: 'msgpack', compression: { algorithm: 'gzip', thresholdBytes: 10 }, keySecret: 'x'.repeat(32) })
const root = rootSettings(options)
const under = (given: NamespaceOptions | undefined, parent = root) => settingsUnder(parent, { name: 'n', given, options })

t.test('a namespace is as the one it lies under, but for what it says itself', async t => {
  t.strictSame(under(undefined), { ...root, label: 'n' })
  t.match(under({ ttl: '1s', maxItems: 8, label: 'weather' }), { ttlMs: 1_000, maxItems: 8, maxBytes: root.maxBytes, label: 'weather' })
  const { writing } = under({ codec: 'json', compression: { algorithm: 'brotli' } })
  t.strictSame(writing, { codec: 'json', compression: { algorithm: 'brotli', thresholdBytes: 10 } })
  t.strictSame(under({ compression: { thresholdBytes: 20 } }, under({ codec: 'json' })).writing, { codec: 'json', compression: { algorithm: 'gzip', thresholdBytes: 20 } })
  const plain = under({ compression: { algorithm: 'none' } })
  t.equal(plain.writing.compression, undefined)
  t.strictSame(under({ compression: {} }, plain).writing.compression, { algorithm: 'brotli', thresholdBytes: 1_024 })
  const hashed = under({ hashKeys: true })
  t.strictSame([root, hashed, under({}, hashed), under({ hashKeys: false }, hashed)].map(({ hashKeys }) => hashKeys), [false, true, true, false])
})

t.test('nothing is compressed unless it is asked for, and then by an algorithm that every Node reads', async t => {
  t.equal(rootSettings(resolveOptions({})).writing.compression, undefined)
  t.strictSame(rootSettings(resolveOptions({ compression: {} })).writing.compression, { algorithm: 'brotli', thresholdBytes: 1_024 })
})

t.test('what a namespace asks for is checked, and named', async t => {
  const bad: [NamespaceOptions, RegExp][] = [
    [{ ttl: -1 }, /'ttl'.*-1/], [{ maxItems: 0 }, /'maxItems'.*0/], [{ codec: 'cbor' as never }, /'codec'.*'cbor'/], [{ compression: { algorithm: 'lzma' as never } }, /'compression.algorithm'.*'lzma'/],
    [{ compresion: {} } as never, /'compresion' is unknown/]
  ]
  for (const [given, message] of bad) t.throws(() => under(given), { code: 'FST_RSP_OPTION_INVALID', message })
})
