import t, { type Test } from 'tap'
import type { Cache, SetOptions } from '@respite/cache'
import type { Duration } from '@respite/redis'
import { gate, startRedis, until } from '@respite/testing'
import { type Where, assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const places: [string, Where][] = [['embedded', {}], ['over Redis', { url: server.url, boot: 'wait' }]]

let spaces = 0

const badTtls: [unknown, RegExp][] = [
  [-1, /'ttl'.*-1/], [0, /'ttl'.* 0/], [NaN, /'ttl'.*NaN/], [Infinity, /'ttl'.*Infinity/], ['5 parsecs', /'ttl'.*5 parsecs/], ['', /'ttl'/], [null, /'ttl'.*null/], ['11y', /'ttl'/]
]

const badTags: [readonly unknown[], RegExp][] = [
  [['t'.repeat(10_240)], /1 to 1024 characters, got 10240/],
  [Array.from({ length: 10_000 }, (_, i) => `t${i}`), /at most 128 tags, got 10000/],
  [[''], /1 to 1024 characters, got 0/],
  [[7], /must be a string.*got 7/],
  [[undefined], /must be a string.*got undefined/]
]

class Later {
  readonly state = 'pending'
  then (): void {}
  toJSON (): unknown { return { state: this.state } }
}
const circular: unknown[] = []
circular.push(circular)
const unserialisable: [string, unknown][] = [['a function', () => 1], ['a symbol', Symbol('s')], ['a promise', { of: Promise.resolve() }], ['a promise of another library', { of: new Later() }], ['a circle', circular], ['a field that throws', { get secret () { throw new Error('no') } }]]

for (const [where, options] of places) {
  const started = async (t: Test, given: Parameters<typeof assemble>[1] = {}): Promise<Cache> => {
    const app = await assemble(options, given)
    t.teardown(() => app.close())
    await app.ready()
    return app.cache.namespace(`n${++spaces}`)
  }
  const nothingUnder = async (t: Test, cache: Cache, key: string, what: string) => {
    t.equal(await cache.get(key), undefined, `${what}: nothing is stored`)
    t.equal(await cache.getOrSet(key, () => 'next'), 'next', `${what}: the next call loads`)
    await cache.delete(key)
  }

  t.test(`${where}: a factory that throws: its error reaches the caller, nothing is stored`, async t => {
    const cache = await started(t)
    const failure = new TypeError('the source is down')
    for (const [way, factory] of [['at once', () => { throw failure }], ['later', () => Promise.reject(failure)]] as const) {
      t.equal(await cache.getOrSet('k', factory).catch(error => error), failure, way)
      await nothingUnder(t, cache, 'k', way)
    }
    t.equal(await cache.getOrSet('k', () => Promise.reject(undefined)).catch(error => error), undefined, 'also what is no error') // eslint-disable-line prefer-promise-reject-errors
  })

  t.test(`${where}: a factory that never returns: timeouts.hard ends it and tells it so; without one, nobody else waits for longer than its lease`, async t => {
    const cache = await started(t, { lease: 100 })
    let signal: AbortSignal | undefined
    const forever = new Promise<never>(() => undefined)
    await t.rejects(cache.getOrSet('k', context => { signal = context.signal; return forever }, { timeouts: { hard: 20 } }), { code: 'FST_RSP_CACHE_FILL_TIMEOUT', message: /'.*k' exceeded 20 ms/ })
    await until('the factory is told', () => signal?.aborted === true)
    await nothingUnder(t, cache, 'k', 'ended')
    const begun = gate()
    const lost = cache.getOrSet('other', () => { begun.pass().catch(() => undefined); return forever })
    lost.catch(() => undefined)
    await begun.reached
    t.equal(await cache.getOrSet('other', () => 'own'), 'own')
  })

  t.test(`${where}: a factory that returns undefined: the caller gets it, nothing is stored`, async t => {
    const cache = await started(t)
    for (const factory of [() => undefined, async () => undefined]) {
      t.equal(await cache.getOrSet('k', factory), undefined)
      await nothingUnder(t, cache, 'k', 'undefined')
    }
  })

  t.test(`${where}: what cannot be serialised is refused by its key, from a factory as from set`, async t => {
    const cache = await started(t)
    for (const [what, value] of unserialisable) {
      const refused = { code: 'FST_RSP_CACHE_NOT_SERIALISABLE', message: /'.*k'/ }
      await t.rejects(cache.getOrSet('k', () => value), refused, what)
      await t.rejects(cache.set('k', value), refused, what)
      await nothingUnder(t, cache, 'k', what)
    }
  })

  t.test(`${where}: a ttl that is none is refused by name and value before anything is asked or run`, async t => {
    const cache = await started(t)
    for (const [ttl, message] of badTtls) {
      const given = { ttl: ttl as Duration }
      const factory = () => t.fail('it ran')
      await t.rejects(async () => cache.getOrSet('k', factory, given), { message }, String(ttl))
      await t.rejects(async () => cache.set('k', 1, given), { message }, String(ttl))
      await t.rejects(async () => cache.setMany([['k', 1]], given), { message }, String(ttl))
      await t.rejects(started(t, given), { message }, `${String(ttl)} at boot`)
      t.throws(() => cache.namespace(`bad${String(ttl)}`, given), { message })
    }
    await nothingUnder(t, cache, 'k', 'ttl')
  })

  t.test(`${where}: tags too long, too many or no text are refused with the bound`, async t => {
    const cache = await started(t)
    for (const [tags, message] of badTags) {
      const given = { tags } as SetOptions
      await t.rejects(async () => cache.set('k', 1, given), { message })
      await t.rejects(async () => cache.getOrSet('k', () => t.fail('it ran'), given), { message })
      await t.rejects(cache.getOrSet('k', ({ tag }) => tag(...tags as string[])), { message })
      await nothingUnder(t, cache, 'k', String(message))
    }
    await t.rejects(async () => cache.invalidateTags('t'.repeat(10_240)), { code: 'FST_RSP_CACHE_TAG_INVALID' })
  })

  t.test(`${where}: in a pattern from a user only the star is special, and its work is bounded`, async t => {
    const cache = await started(t)
    const keys = ['user:1', 'user:[1-9]', 'user:?', 'user:\\', 'user:^', 'other']
    for (const [pattern, gone] of [['user:[1-9]', ['user:[1-9]']], ['user:?', ['user:?']], ['user:\\*', ['user:\\']], ['(.*)+$', []], ['**', keys]] as const) {
      for (const key of keys) await cache.set(key, 1)
      await cache.deletePattern(pattern)
      const left = await cache.getMany(keys)
      t.strictSame(keys.filter((_, i) => left[i] === undefined), gone, pattern)
    }
    for (const pattern of ['*a'.repeat(9), 7, undefined]) await t.rejects(async () => cache.deletePattern(pattern as string), { code: 'FST_RSP_CACHE_PATTERN_INVALID', message: /at most 8/ })
  })
}

t.test('a body that a stranger has changed in Redis is a miss, one of another release stays, and __proto__ is but dropped', async t => {
  const app = await assemble({ url: server.url, boot: 'wait', keyPrefix: 'changed' })
  t.teardown(() => app.close())
  await app.ready()
  const { cache, redis } = app
  const key = 'changed:v1:val:cache:{k}'
  const lies = () => redis.getBuffer(key)
  const change = async (edit: (record: Buffer) => Buffer) => {
    await cache.set('k', { a: 1 })
    await redis.set(key, edit((await lies())!))
    await until('the push has come', () => cache.getLocal('k') === undefined)
  }
  for (const [what, edit] of [
    ['cut in its head', (record: Buffer) => record.subarray(0, 20)], ['cut in its body', (record: Buffer) => record.subarray(0, -2)], ['empty', () => Buffer.alloc(0)]
  ] as const) {
    await change(edit)
    t.equal(await cache.get('k'), undefined, what)
    t.equal(await cache.getOrSet('k', () => 'loaded'), 'loaded', what)
    t.equal(await cache.get('k'), 'loaded', what)
  }
  await change(record => Buffer.concat([Buffer.of(2), record.subarray(1)]))
  t.equal(await cache.get('k'), undefined)
  t.equal(await cache.getOrSet('k', () => 'loaded'), 'loaded')
  t.equal((await lies())![0], 2, 'its release may still want it')
  await redis.del(key)
  await change(record => Buffer.concat([record.subarray(0, -7), Buffer.from('{"__proto__":{"admin":true},"a":1}')]))
  t.strictSame(await cache.get('k'), { a: 1 })
  t.equal(({} as Record<string, unknown>)['admin'], undefined)
})
