import t from 'tap'
import { gate, startRedis, until } from '@respite/testing'
import { copied, pairOver, strangerAt } from './app-over.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const raw = strangerAt(t, server.url)

t.test('R8: a hundred callers of two processes, one run that fails, a hundred rejections at once, and the next call runs again', async t => {
  const { here, there } = await pairOver(t, server.url)
  const hold = gate()
  let runs = 0
  const failing = async () => {
    runs++
    await hold.pass()
    throw new TypeError('the source is down')
  }
  const first = here.cache.getOrSet('k', failing)
  const calls = [first, ...Array.from({ length: 99 }, (_, i) => (i % 2 === 0 ? here : there).cache.getOrSet('k', failing))]
  const settled = Promise.allSettled(calls)
  await hold.reached
  // Asked on the same connections after them: when these are answered, those were.
  for (const { cache } of [here, there]) t.equal(await cache.get('k'), undefined)
  hold.open()
  const openedAt = performance.now()
  const results = await settled
  const tookMs = performance.now() - openedAt
  t.equal(runs, 1)
  t.equal(results.filter(({ status }) => status === 'rejected').length, 100)
  for (const result of results) t.match((result as PromiseRejectedResult).reason.message, /the source is down|failed in another process/)
  // Those of the other process ask every 25 to 200 ms.
  t.ok(tookMs < 2_000, `${Math.round(tookMs)} ms`)
  t.equal(await there.cache.getOrSet('k', () => 'up'), 'up')
  t.equal(await here.cache.getOrSet('k', failing), 'up')
  t.equal(runs, 1)
})

t.test('R8: callers who come while the failure is told run the factory again, and still not one after the other', async t => {
  const { here } = await pairOver(t, server.url)
  let [runs, atOnce, most] = [0, 0, 0]
  const failing = async () => {
    runs++
    most = Math.max(most, ++atOnce)
    await new Promise(resolve => setImmediate(resolve))
    atOnce--
    throw new TypeError('down')
  }
  for (let round = 0; round < 20; round++) {
    const results = await Promise.allSettled(Array.from({ length: 100 }, () => here.cache.getOrSet('k', failing)))
    t.ok(results.every(({ status }) => status === 'rejected'))
  }
  t.equal(runs, 20)
  t.equal(most, 1)
})

t.test('R9: a refresh that fails keeps the stale value, stored and answered, for every process, until one succeeds', async t => {
  const { here, there, keyPrefix } = await pairOver(t, server.url)
  const place = `${keyPrefix}:v1:val:cache:{k}`
  const options = { ttl: '1m', swr: '1h' } as const
  await here.cache.getOrSet('k', () => 'v1', options)
  await here.cache.expire('k')
  const [record, ttl] = [await raw.getBuffer(place), await raw.pttl(place)]
  let failures = 0
  for (const { cache } of [here, there, here]) {
    const before = failures
    t.equal(await cache.getOrSet('k', () => { failures++; throw new TypeError('down') }, options), 'v1')
    await until('the refresh has failed, and has told so', async () => failures > before && /^F:/.test(await raw.get(`${keyPrefix}:v1:lease:cache:{k}`) ?? ''))
  }
  t.strictSame(await raw.getBuffer(place), record, 'byte for byte')
  t.ok(await raw.pttl(place) <= ttl, 'and ends when it was to end')
  t.equal(await here.cache.getOrSet('k', () => 'v2', options), 'v1')
  await copied(there.cache, 'k', 'v2')
})

t.test('R9: a factory that fails, or never returns, within staleIfError leaves what is stored as it is', async t => {
  const { here, there, keyPrefix } = await pairOver(t, server.url)
  const place = `${keyPrefix}:v1:val:cache:{k}`
  const options = { ttl: '1m', staleIfError: '1h', timeouts: { hard: '1s' } } as const
  await here.cache.getOrSet('k', () => 'v1', options)
  await here.cache.expire('k')
  const record = await raw.getBuffer(place)
  for (const load of [() => { throw new TypeError('down') }, () => new Promise<never>(() => undefined), () => Promise.reject(new RangeError('busy'))]) {
    for (const { cache } of [here, there]) t.equal(await cache.getOrSet('k', load, options), 'v1')
  }
  t.strictSame(await raw.getBuffer(place), record)
})
