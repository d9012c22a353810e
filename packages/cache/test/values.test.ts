import { gzipSync } from 'node:zlib'
import { Redis } from 'ioredis'
import t from 'tap'
import { type CounterSeries, randomToken } from '@respite/redis'
import { startRedis, until } from '@respite/testing'
import type { CachePluginOptions } from '@respite/cache'
import { type CacheRecord, decodeRecord, encodeRecord } from '../src/record.ts'
import { assemble } from './assemble.ts'

const server = await startRedis()
const raw = new Redis(server.url)
t.teardown(() => { raw.disconnect(); return server.stop() })

async function started (options: CachePluginOptions, keyPrefix = randomToken()) {
  const app = await assemble({ url: server.url, keyPrefix, boot: 'wait' }, options)
  t.teardown(() => app.close())
  await app.ready()
  // Without local copies every answer comes from Redis.
  app.respite.invalidations.hold('test', true)
  const place = (key: string) => `${keyPrefix}:v1:val:cache:{${key}}`
  const bytesOf = async (key: string) => (await raw.getBuffer(place(key)))!
  return {
    app,
    cache: app.cache,
    keyPrefix,
    bytesOf,
    recordOf: async (key: string) => decodeRecord(await bytesOf(key)) as CacheRecord,
    write: (key: string, bytes: Buffer) => raw.set(place(key), bytes, 'KEEPTTL'),
    there: async (key: string) => await raw.exists(place(key)) === 1,
    counted: async (reason: string) => {
      const metric = (await app.respite.metrics.read()).find(({ name }) => name === 'cache_unreadable_total')!
      const series = [...metric.entries()].find(([labels]) => labels[0] === reason)?.[1] as CounterSeries | undefined
      return series?.value ?? 0
    }
  }
}

const value = { text: 'more than once, '.repeat(200), at: new Date(5), bytes: new Uint8Array([1, 2, 3]) }
const every: CachePluginOptions[] = [{}, { codec: 'msgpack' }, { compression: {} }, { codec: 'msgpack', compression: { algorithm: 'gzip' } }]

t.test('a fleet changes its codec and compression one process after the other: each reads what the others write', async t => {
  const keyPrefix = randomToken()
  const fleet = []
  for (const options of every) fleet.push(await started(options, keyPrefix))
  const forms = new Set<number>()
  for (const [i, writer] of fleet.entries()) {
    await writer.cache.set(`k${i}`, value)
    forms.add((await writer.recordOf(`k${i}`)).form)
    for (const { cache } of fleet) t.strictSame(await cache.get(`k${i}`), value)
    await fleet[(i + 1) % fleet.length]!.cache.set(`k${i}`, 'over it')
    for (const { cache } of fleet) t.equal(await cache.getOrSet(`k${i}`, () => 'not run'), 'over it')
  }
  t.strictSame([...forms], [0x01, 0x02, 0x21, 0x12])
  for (const { counted } of fleet) t.strictSame([await counted('corrupt'), await counted('foreign')], [0, 0])
})

t.test('in Redis a value is smaller from the threshold on, in serialised form; what does not become so is as it is', async t => {
  const { cache, recordOf } = await started({ compression: { algorithm: 'gzip' } })
  const cases: [string, unknown, number][] = [['below', 'x'.repeat(1_021), 1], ['at', 'x'.repeat(1_022), 0x11], ['large', 'x'.repeat(100_000), 0x11], ['small', 1, 1]]
  for (const [key, value, form] of cases) {
    await cache.set(key, value)
    t.equal((await recordOf(key)).form, form, key)
    t.equal(await cache.get(key), value)
  }
  t.ok((await recordOf('large')).body.length < 1_000)
})

t.test('bytes lie in msgpack as they are', async t => {
  const { cache, recordOf } = await started({ codec: 'msgpack' })
  const bytes = Buffer.from('not text \u0000')
  await cache.set('k', { bytes })
  t.ok((await recordOf('k')).body.includes(bytes))
})

t.test('a local copy holds the value read, and is measured as it was before it was compressed', async t => {
  const { app, cache } = await started({ compression: { thresholdBytes: 0 } })
  app.respite.invalidations.hold('test', false)
  await cache.set('k', 'x'.repeat(50_000))
  await until('there is a local copy', async () => await cache.get('k') !== undefined && cache.getLocal('k') !== undefined)
  t.ok(cache.stats().bytes > 50_000)
})

for (const options of every) {
  t.test(`records that a stranger has changed are misses, counted and dropped; the next load replaces them: ${JSON.stringify(options)}`, async t => {
    const { cache, recordOf, write, there, counted } = await started(options)
    const changed: [string, (record: CacheRecord) => Partial<CacheRecord>][] = [
      ['cut short', ({ body }) => ({ body: body.subarray(0, body.length - 5) })],
      ['cut to nothing', () => ({ body: Buffer.alloc(0) })],
      ['other bytes', ({ body }) => ({ body: Buffer.alloc(body.length, 0xC1) })],
      ['a codec it is not in', ({ form }) => ({ form: form ^ 3 })],
      ['a compression it does not have', ({ form }) => ({ form: (form & 15) | (form >> 4 === 1 ? 0x20 : 0x10) })],
      ['a bomb', ({ form }) => ({ form: (form & 15) | 0x10, body: Buffer.concat([Buffer.from([0, 0, 0x20, 0]), gzipSync(Buffer.alloc(5_000_000))]) })],
      ['a bomb that says so', ({ form }) => ({ form: (form & 15) | 0x10, body: Buffer.concat([Buffer.from([0xFF, 0xFF, 0xFF, 0xFF]), gzipSync(Buffer.alloc(5_000_000))]) })],
      ['arrays of arrays', () => ({ form: 2, body: Buffer.concat(Array.from({ length: 2_000 }, () => Buffer.from([0xDD, 0, 0x1F, 0, 0]))) })]
    ]
    for (const [i, [what, change]] of changed.entries()) {
      await cache.set('k', value)
      const bytes = await recordOf('k')
      await write('k', encodedAgain(bytes, change(bytes)))
      let reason: unknown
      t.equal(await cache.get('k', { onReport: report => { reason = report.missReason } }), undefined, what)
      t.equal(reason, 'unreadable', what)
      await until('it is dropped', async () => !await there('k'))
      t.equal(await counted('corrupt'), 2 * i + 1, what)
      await cache.set('k', value)
      await write('k', encodedAgain(bytes, change(bytes)))
      t.equal(await cache.getOrSet('k', () => 'loaded'), 'loaded', what)
      t.equal(await cache.get('k'), 'loaded', what)
      t.equal(await counted('corrupt'), 2 * i + 2, what)
    }
  })
}

t.test('a record of a codec or compression that is not known here is a miss and stays', async t => {
  const { cache, recordOf, bytesOf, write, counted } = await started({})
  await cache.set('k', 1)
  const record = await recordOf('k')
  for (const [i, form] of [0x0F, 0x41].entries()) {
    const bytes = encodedAgain(record, { form })
    await write('k', bytes)
    t.equal(await cache.get('k'), undefined)
    t.equal(await cache.getOrSet('k', () => 'loaded'), 'loaded')
    t.ok((await bytesOf('k')).equals(bytes))
    t.equal(await counted('foreign'), 2 * i + 2)
  }
})

/** The record with other parts, fresh for long: what a script would have written, and a stranger has. */
function encodedAgain ({ id, snapshot, ttlMs, costMs, form, body }: CacheRecord, parts: Partial<CacheRecord>): Buffer {
  const bytes = encodeRecord({ id, snapshot, ttlMs, costMs, form, body, ...parts })
  bytes.write('9999999999999', 13, 'latin1')
  return bytes
}
