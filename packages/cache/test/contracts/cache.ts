import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import { gate, until } from '@respite/testing'

/** Two apps over one store; embedded, both are the same app. `hashed`: their keys are. */
export interface Pair { here: FastifyInstance, there: FastifyInstance, hashed?: boolean }

/** How an error names a key. */
export function naming (key: string, { hashed = false }: Pair): RegExp {
  return hashed ? /'[\w-]{32}'/ : new RegExp(`'${key}'`)
}

/** What the cache does for its callers, whatever lies behind it. */
export function cacheContract (t: Test, name: string, pair: () => Pair): void {
  const spaces = (label: string) => {
    const { here, there } = pair()
    return { a: here.cache.namespace(label), b: there.cache.namespace(label) }
  }

  t.test(`${name}: what is set is there for all, with its kind; null is a value, undefined is absent`, async t => {
    const { a, b } = spaces('kinds')
    const value = { at: new Date(5), big: 12n, bytes: new Uint8Array([1]), map: new Map([['k', new Set([undefined, Number.NaN])]]) }
    t.equal(await b.get('x'), undefined)
    await a.set('x', value)
    t.strictSame(await b.get('x'), value)
    t.strictSame(await a.get('x'), value)
    await a.set('n', null)
    t.equal(await b.get('n'), null)
    t.equal(await b.getOrSet('n', () => 'run'), null)
    await t.rejects(a.set('u', undefined), { code: 'FST_RSP_CACHE_NOT_SERIALISABLE', message: naming('u', pair()) })
  })

  t.test(`${name}: a key may hold anything, and in a pattern only the star means anything`, async t => {
    const { a, b } = spaces('keys')
    const keys = ['*', '{a}', 'a:b', 'a\u0000b', '', '%', 'é', '\uD800', 'x'.repeat(65_536), '{x}:*', 'a*b']
    await Promise.all(keys.map((key, i) => a.set(key, i)))
    for (const [i, key] of keys.entries()) t.equal(await b.get(key), i, JSON.stringify(key.slice(0, 20)))
    t.match(await a.delete('*'), { dropped: 1 })
    t.equal(await b.get('a*b'), 10)
    const { hashed } = pair()
    await t.rejects(a.get(5 as never), { code: 'FST_RSP_CACHE_KEY_INVALID', message: hashed ? /of type number/ : /got 5/ })
    if (hashed) {
      await t.rejects(a.deletePattern('a*'), { code: 'FST_RSP_CACHE_PATTERN_HASHED', message: /keys'/ })
      t.equal(await a.get('a:b'), 2)
      return
    }
    t.match(await a.deletePattern('a*'), { dropped: 3 })
    t.equal(await a.get('a:b'), undefined)
    t.equal(await a.get('{a}'), 1)
    t.match(await a.deletePattern('*'), { dropped: keys.length - 4 })
  })

  t.test(`${name}: times to live end, may be longer than a timer's, and nonsense is refused`, async t => {
    const { a, b } = spaces('ttl')
    await a.set('short', 1, { ttl: 40 })
    await until('it has ended', async () => await b.get('short') === undefined)
    t.equal(await a.get('short'), undefined)
    await a.set('long', 1, { ttl: '60d' })
    const found = await b.getWithTtl('long')
    t.ok(found!.ttlMs > 59 * 86_400_000 && found!.ttlMs <= 60 * 86_400_000, `${found!.ttlMs}`)
    t.equal(await b.getWithTtl('none'), undefined)
    for (const ttl of [-1, Number.NaN, '5 parsecs']) {
      await t.rejects(a.set('bad', 1, { ttl: ttl as never }), { code: 'FST_RSP_DURATION_INVALID', message: /'ttl'/ })
      await t.rejects(a.getOrSet('bad', () => 1, { ttl: ttl as never }), { code: 'FST_RSP_DURATION_INVALID' })
    }
    t.equal(await a.get('bad'), undefined)
  })

  t.test(`${name}: getOrSet runs one factory for all callers of all processes`, async t => {
    const { a, b } = spaces('one')
    const hold = gate()
    let runs = 0
    const factory = async () => {
      runs++
      await hold.pass()
      return { n: 1 }
    }
    const first = Array.from({ length: 50 }, () => a.getOrSet('k', factory))
    await hold.reached
    const later = Array.from({ length: 50 }, (_, i) => (i % 2 === 0 ? a : b).getOrSet('k', factory))
    await until('the later ones have asked', () => runs === 1)
    hold.open()
    for (const value of await Promise.all([...first, ...later])) t.strictSame(value, { n: 1 })
    t.equal(runs, 1)
    t.strictSame(await b.getOrSet('k', factory), { n: 1 })
    t.equal(runs, 1)
  })

  t.test(`${name}: R8: a failing factory runs once, fails all its callers with its error, and the next call runs again`, async t => {
    const { a, b } = spaces('failing')
    const hold = gate()
    let runs = 0
    const factory = async () => {
      runs++
      await hold.pass()
      throw new TypeError('no weather today')
    }
    const calls = Array.from({ length: 100 }, () => a.getOrSet('k', factory))
    await hold.reached
    const elsewhere = b.getOrSet('k', () => { throw new TypeError('no weather there either') })
    hold.open()
    const results = await Promise.allSettled(calls)
    t.equal(runs, 1)
    t.ok(results.every(result => result.status === 'rejected' && /no weather today/.test(result.reason.message)))
    await t.rejects(elsewhere, /no weather|failed in another process/)
    t.equal(await b.getOrSet('k', () => 2), 2)
  })

  t.test(`${name}: a factory that gives undefined stores nothing; one that gives what cannot be stored fails, and names the key`, async t => {
    const { a, b } = spaces('nothing')
    t.equal(await a.getOrSet('k', () => undefined), undefined)
    t.equal(await b.get('k'), undefined)
    const error = await t.rejects(a.getOrSet('k', () => ({ f () {} })), { code: 'FST_RSP_CACHE_NOT_SERIALISABLE', message: /function/ }) as Error
    t.match(error.message, naming('k', pair()))
    t.equal(await b.get('k'), undefined)
    t.equal(await b.getOrSet('k', () => 5), 5)
  })

  t.test(`${name}: a factory may say how long its value is fresh`, async t => {
    const { a } = spaces('factory-ttl')
    await a.getOrSet('k', ({ ttl }) => { ttl('2h'); return 1 }, { ttl: '1s' })
    t.ok((await a.getWithTtl('k'))!.ttlMs > 3_600_000)
  })

  t.test(`${name}: no caller can change what another is given`, async t => {
    const { a, b } = spaces('copies')
    const own = { list: [1], at: new Date(0) }
    const given = await a.getOrSet('k', () => own)
    t.not(given, own)
    given.list.push(2)
    given.at.setTime(9)
    for (const cache of [a, b, a, b]) {
      const value = await cache.getOrSet('k', () => own)
      t.strictSame(value, { list: [1], at: new Date(0) })
      value.list.push(3)
    }
    await a.set('plain', { list: [1] })
    const [one, two] = await Promise.all([a.get<{ list: number[] }>('plain'), a.get<{ list: number[] }>('plain')])
    t.throws(() => one!.list.push(2), TypeError)
    t.strictSame(two, { list: [1] })
    t.equal(Object.isFrozen(own), false, "the factory's own value is left alone")
  })

  t.test(`${name}: clear ends its namespace and no other`, async t => {
    const { a, b } = spaces('cleared')
    const other = pair().here.cache.namespace('spared')
    for (const cache of [a, a.namespace('below'), other]) await cache.set('k', 1)
    t.equal(await b.get('k'), 1)
    await a.clear()
    t.equal(await a.get('k'), undefined)
    await until('the other process has heard', async () => await b.get('k') === undefined)
    t.equal(await a.namespace('below').get('k'), 1)
    t.equal(await other.get('k'), 1)
    t.equal(await b.getOrSet('k', () => 2), 2)
    t.equal(await a.get('k'), 2)
  })

  t.test(`${name}: a tag ends all entries that carry it`, async t => {
    const { a, b } = spaces('tagged')
    await a.set('x', 1, { tags: ['org:7', 'user:1'] })
    await a.getOrSet('y', () => 2, { tags: ['org:7'] })
    await a.set('z', 3, { tags: ['org:8'] })
    t.strictSame([await b.get('x'), await b.get('y'), await b.get('z')], [1, 2, 3])
    t.strictSame([await a.get('x'), await a.get('y'), await a.get('z')], [1, 2, 3])
    await a.invalidateTags('org:7')
    t.strictSame([await a.get('x'), await a.get('y'), await a.get('z')], [undefined, undefined, 3])
    await until('the other process has heard', async () => await b.get('x') === undefined)
    t.equal(await b.getOrSet('y', () => 9, { tags: ['org:7'] }), 9)
    t.equal(await a.get('y'), 9)
    await t.rejects(a.set('x', 1, { tags: Array.from({ length: 10_000 }, (_, i) => `t${i}`) }), { code: 'FST_RSP_CACHE_TAGS_TOO_MANY', message: /at most 128/ })
    await t.rejects(a.set('x', 1, { tags: ['t'.repeat(10_000)] }), { code: 'FST_RSP_CACHE_TAG_INVALID', message: /10000 characters/ })
  })

  t.test(`${name}: expire keeps an entry as stale: answered where the call allows it, while one refreshes`, async t => {
    const { a } = spaces('stale')
    const hold = gate()
    await a.getOrSet('k', () => 1, { swr: '1m' })
    t.equal(await a.get('k'), 1)
    t.match(await a.expire('k'), { dropped: 1 })
    t.equal(await a.get('k'), undefined)
    let runs = 0
    const refresh = async () => {
      runs++
      await hold.pass()
      return 2
    }
    t.equal(await a.getOrSet('k', refresh, { swr: '1m' }), 1)
    await hold.reached
    t.equal(await a.getOrSet('k', refresh, { swr: '1m' }), 1)
    hold.open()
    await until('it is refreshed', async () => await a.get('k') === 2)
    t.equal(runs, 1)
  })

  t.test(`${name}: R9: a failed refresh keeps the stale value`, async t => {
    const { a } = spaces('failed-refresh')
    await a.getOrSet('k', () => 1, { swr: '1m' })
    await a.expire('k')
    let failed = 0
    for (let i = 0; i < 3; i++) {
      t.equal(await a.getOrSet('k', () => { failed++; throw new TypeError('no') }, { swr: '1m' }), 1)
      await until('the refresh has failed', () => failed === i + 1)
    }
  })
}
