import * as zlib from 'node:zlib'
import t from 'tap'
import { seeded } from '@respite/testing'
import { type Algorithm, compress, expand, hasAlgorithm, maxExpandedBytes, syncBytes } from '../../src/codecs/compression.ts'

const algorithms = (['gzip', 'brotli', 'zstd'] as const).filter(hasAlgorithm)
const textOf = (bytes: number) => Buffer.from('some text that repeats itself, '.repeat(Math.ceil(bytes / 31))).subarray(0, bytes)
const saying = (length: number, made: Buffer) => Buffer.concat([Buffer.from([length >>> 24, length >>> 16, length >>> 8, length]), made])
const squeezed: Record<'gzip' | 'brotli', (bytes: Buffer) => Buffer> = { gzip: zlib.gzipSync, brotli: bytes => zlib.brotliCompressSync(bytes, { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 1 } }) }

for (const algorithm of algorithms) {
  t.test(`${algorithm}: what is compressed comes back, whatever its size`, async t => {
    for (const bytes of [100, 1_024, syncBytes - 1, syncBytes, syncBytes + 1, 300_000]) {
      const text = textOf(bytes)
      const stored = (await compress(text, algorithm))!
      t.ok(stored.length < bytes, `${bytes} bytes become ${stored.length}`)
      t.ok((await expand(stored, algorithm)).equals(text))
    }
  })

  t.test(`${algorithm}: small values take no turn of the event loop, large ones are worked on beside it`, async t => {
    for (const [bytes, waits] of [[syncBytes, false], [syncBytes + 1, true]] as const) {
      const stored = compress(textOf(bytes), algorithm)
      t.equal(stored instanceof Promise, waits)
      const expanded = expand((await stored)!, algorithm)
      t.equal(expanded instanceof Promise, waits)
      await expanded
    }
  })

  t.test(`${algorithm}: what does not become shorter is left`, async t => {
    const chance = seeded(t)
    for (const bytes of [Buffer.alloc(0), Buffer.from('{}'), chance.bytes(2_000), chance.bytes(syncBytes + 1_000)]) t.equal(await compress(bytes, algorithm), undefined)
  })

  t.test(`${algorithm}: what is cut short, changed in length or no such stream is refused`, async t => {
    const text = textOf(5_000)
    const stored = (await compress(text, algorithm))!
    for (const length of [0, 3, 4, 5, 20, stored.length - 1]) await t.rejects(async () => expand(stored.subarray(0, length), algorithm), `${length} bytes`)
    for (const length of [0, 4_999, 5_001, 60_000, 2 ** 32 - 1]) await t.rejects(async () => expand(saying(length, stored.subarray(4)), algorithm), `said to hold ${length}`)
    await t.rejects(async () => expand(saying(5_000, Buffer.from('no stream of anything')), algorithm))
  })
}

t.test('a bomb is given no more room than it asks for, and no more than the bound', async t => {
  for (const algorithm of ['gzip', 'brotli'] as const) {
    const bomb = squeezed[algorithm](Buffer.alloc(50_000_000))
    const before = outside()
    for (const says of [bomb.length + 100, 100_000]) await t.rejects(async () => expand(saying(says, bomb), algorithm), { code: 'ERR_BUFFER_TOO_LARGE' })
    t.throws(() => expand(saying(50_000_000, bomb), algorithm, 49_999_999), /at most 49999999/)
    t.throws(() => expand(saying(maxExpandedBytes + 1, bomb), algorithm), /at most 67108864/)
    t.ok(outside() - before < 20_000_000)
  }
})

t.test('what would only take time is not begun', async t => {
  for (const algorithm of ['gzip', 'brotli'] as const) {
    const empty = squeezed[algorithm](Buffer.alloc(0))
    t.throws(() => expand(saying(10_000, Buffer.concat(Array.from({ length: 20_000 }, () => empty))), algorithm), /not shorter/)
  }
})

function outside (): number {
  const { arrayBuffers, external } = process.memoryUsage()
  return arrayBuffers + external
}

t.test('a Node without zstd has none', async t => {
  const has: Record<Algorithm, boolean> = { gzip: true, brotli: true, zstd: 'zstdCompress' in zlib }
  for (const [algorithm, there] of Object.entries(has)) t.equal(hasAlgorithm(algorithm as Algorithm), there)
})
