import type { Test } from 'tap'
import { gate, until } from '@respite/testing'
import { type Pair, naming } from './cache.ts'

/** What the options of getOrSet do, whatever lies behind the cache. */
export function loadingContract (t: Test, name: string, pair: () => Pair): void {
  const spaces = (label: string) => {
    const { here, there } = pair()
    return { a: here.cache.namespace(label), b: there.cache.namespace(label) }
  }
  const failing = () => { throw new TypeError('the source is down') }

  t.test(`${name}: tags added inside the factory end its entry, as declared ones do`, async t => {
    const { a, b } = spaces('added')
    for (const round of [1, 2]) {
      t.equal(await a.getOrSet('k', ({ tag }) => { tag('org:7', 'org:8'); return round }, { tags: ['all'] }), round)
      t.equal(await b.get('k'), round, 'stored')
      await b.invalidateTags(round === 1 ? 'org:8' : 'all')
      await until('all have heard', async () => await a.get('k') === undefined)
    }
    await t.rejects(a.getOrSet('bad', ({ tag }) => tag('')), { code: 'FST_RSP_CACHE_TAG_INVALID' })
    await t.rejects(a.getOrSet('bad', ({ tag }) => tag(...Array.from({ length: 127 }, (_, i) => `t${i}`)), { tags: ['x', 'y'] }), { code: 'FST_RSP_CACHE_TAGS_TOO_MANY' })
  })

  t.test(`${name}: R2: a tag added inside the factory and invalidated during the load wins: nothing is stored`, async t => {
    const { a, b } = spaces('added-raced')
    for (const known of [false, true]) {
      const hold = gate()
      let row = 'v1'
      if (known) await a.getOrSet('other', ({ tag }) => { tag('org:9'); return 1 })
      const old = a.getOrSet('k', async ({ tag }) => {
        const loaded = row
        tag('org:9')
        await hold.pass()
        return loaded
      })
      await hold.reached
      row = 'v2'
      await b.invalidateTags('org:9')
      const joined = a.getOrSet('k', ({ tag }) => { tag('org:9'); return row })
      hold.open()
      t.equal(await old, 'v1', 'who began before may have it')
      t.equal(await joined, 'v2', 'who began afterwards does not take it from hand to hand')
      for (const cache of [b, a]) t.equal(await cache.getOrSet('k', () => row), 'v2')
      await a.delete('k')
    }
  })

  t.test(`${name}: negativeTtl stores that there is nothing; without it null is a value and undefined is not stored`, async t => {
    const { a, b } = spaces('negative')
    let runs = 0
    const count = <T>(value: T) => () => { runs++; return value }
    for (const [value, key] of [[null, 'null'], [undefined, 'undefined']] as const) {
      runs = 0
      for (const cache of [a, b, b]) t.equal(await cache.getOrSet(key, count(value), { ttl: '1h', negativeTtl: '1m' }), value)
      t.equal(runs, 1, key)
      t.ok((await b.getWithTtl(key))!.ttlMs <= 60_000)
    }
    runs = 0
    for (const cache of [a, b]) t.equal(await cache.getOrSet('none', count(undefined)), undefined)
    t.equal(runs, 2)
    await a.getOrSet('said', ({ ttl }) => { ttl('2h'); return null }, { negativeTtl: '1m' })
    t.ok((await a.getWithTtl('said'))!.ttlMs > 3_600_000, 'what the factory says rules')
  })

  t.test(`${name}: R9: staleIfError answers the stale value when the factory fails, keeps it stored, and ends with an invalidation`, async t => {
    const { a, b } = spaces('stale-error')
    const options = { staleIfError: '1h', tags: ['t'] } as const
    await a.getOrSet('k', () => 1, options)
    await a.expire('k')
    for (const cache of [a, b, a]) t.equal(await cache.getOrSet('k', failing, options), 1)
    await t.rejects(a.getOrSet('k', failing, { tags: ['t'] }), /source is down/, 'only where the call allows it')
    t.equal(await a.getOrSet('k', ({ stale }) => [stale, 2], options).then(value => JSON.stringify(value)), '[1,2]', 'the factory may look at it')
    await a.expire('k')
    await b.invalidateTags('t')
    await t.rejects(a.getOrSet('k', failing, options), /source is down|failed in another process/)
  })

  t.test(`${name}: stale values are answered within the window of the call, not of the fill`, async t => {
    const { a } = spaces('windows')
    await a.getOrSet('k', () => 1, { ttl: 20, staleIfError: '1h' })
    await until('it is stale', async () => await a.get('k') === undefined)
    let past = 0
    await until('it has been stale for longer than 10 ms', () => ++past > 20)
    t.equal(await a.getOrSet('k', failing, { ttl: 20, staleIfError: '1h' }), 1)
    await t.rejects(a.getOrSet('k', failing, { ttl: 20, staleIfError: 1 }), /source is down/)
    t.equal(await a.getOrSet('k', () => 2, { ttl: 20, swr: 1, staleIfError: '1h' }), 2)
  })

  t.test(`${name}: timeouts: soft answers the stale value, hard fails the caller, aborts the factory and frees the key`, async t => {
    const { a } = spaces('timeouts')
    const hold = gate()
    const options = { staleIfError: '1h', timeouts: { soft: 5 } } as const
    await a.getOrSet('k', () => 1, options)
    await a.expire('k')
    t.equal(await a.getOrSet('k', async () => { await hold.pass(); return 2 }, options), 1)
    hold.open()
    await until('the run has ended behind it', async () => await a.get('k') === 2)

    let seen: AbortSignal | undefined
    const hanging = ({ signal }: { signal: AbortSignal }) => { seen = signal; return new Promise<never>(() => {}) }
    const error = await t.rejects(a.getOrSet('h', hanging, { timeouts: { hard: 20 } }), { code: 'FST_RSP_CACHE_FILL_TIMEOUT', message: /exceeded 20 ms/ }) as Error
    t.match(error.message, naming('h', pair()))
    await until('the factory is told', () => seen?.aborted)
    t.match(seen!.reason, { code: 'FST_RSP_CACHE_FILL_TIMEOUT' })
    await until('the key is free', async () => (await a.getOrSet('h', () => 3).catch(() => 0)) === 3)
    await a.expire('h')
    await a.set('s', 1)
    await a.getOrSet('e', () => 1, { staleIfError: '1h' })
    await a.expire('e')
    t.equal(await a.getOrSet('e', hanging, { staleIfError: '1h', timeouts: { hard: 20 } }), 1, 'stale rather than late')
  })

  t.test(`${name}: skip answers the value and stores nothing`, async t => {
    const { a } = spaces('skip')
    t.equal(await a.getOrSet('k', ({ skip }) => { skip(); return 1 }), 1)
    t.equal(await a.get('k'), undefined)
    t.equal(await a.getOrSet('k', () => 2), 2)
    t.equal(await a.get('k'), 2)
  })

  t.test(`${name}: singleFlight 'process' does not wait for another process, and never stores over it`, async t => {
    const { a, b } = spaces('process')
    const hold = gate()
    const first = a.getOrSet('k', async () => { await hold.pass(); return 'first' })
    await hold.reached
    // Embedded, both are one process, and one run serves both.
    if (a === b) hold.open()
    t.equal(await b.getOrSet('k', () => 'own', { singleFlight: 'process' }), a === b ? 'first' : 'own')
    hold.open()
    t.equal(await first, 'first')
    t.equal(await b.get('k'), 'first')
  })

  t.test(`${name}: options that cannot be are refused and named`, async t => {
    const { a } = spaces('refused')
    for (const [options, message] of [[{ jitter: 2 }, /'jitter'.*2/], [{ eager: 'now' }, /'eager'/], [{ singleFlight: 'none' }, /'singleFlight'/], [{ timeouts: { hard: '2d' } }, /'timeouts.hard'.*day/]] as const) {
      await t.rejects(a.getOrSet('k', () => 1, options as never), { code: 'FST_RSP_CACHE_CALL_OPTION_INVALID', message })
    }
    await t.rejects(a.getOrSet('k', () => 1, { timeouts: { soft: -1 } }), { code: 'FST_RSP_DURATION_INVALID', message: /timeouts.soft/ })
  })
}
