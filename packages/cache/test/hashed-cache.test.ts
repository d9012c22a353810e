import Fastify from 'fastify'
import { Redis } from 'ioredis'
import t from 'tap'
import redis from '@respite/redis'
import cachePlugin, { Cache, type CachePluginOptions, type FillContext } from '@respite/cache'
import { startRedis, until } from '@respite/testing'
import { HashedNames } from '../src/hashed-names.ts'
import { assemble } from './assemble.ts'

const server = await startRedis()
const raw = new Redis(server.url)
t.teardown(() => { raw.disconnect(); return server.stop() })

const keySecret = 'what nobody but the processes of this test know'
const hashed: CachePluginOptions = { hashKeys: true, keySecret }
/** In every key and tag of the tests below, and in no value. */
const personal = 'ada@example.com'

async function started (keyPrefix: string, options: CachePluginOptions = hashed) {
  const app = await assemble({ url: server.url, keyPrefix, boot: 'wait' }, options)
  t.teardown(() => app.close())
  await app.ready()
  return app
}

t.test('no key and no tag reaches Redis, whatever is called', async t => {
  const said: string[] = []
  const monitor = await raw.monitor()
  t.teardown(() => { monitor.disconnect() })
  monitor.on('monitor', (_time: string, args: string[]) => { said.push(args.join(' ')) })
  const app = await started('watched')
  const cache = app.cache.namespace('users')
  const key = (what: string) => `${what}:${personal}`
  const tags = [key('tag')]
  const calls: Partial<Record<keyof Cache, () => Promise<unknown>>> = {
    get: () => cache.get(key('a')),
    getWithTtl: () => cache.getWithTtl(key('a')),
    set: () => cache.set(key('a'), 1, { tags }),
    getOrSet: () => cache.getOrSet(key('b'), ({ tag }) => { tag(key('added')); return 1 }, { tags }),
    writeThrough: () => cache.writeThrough(key('c'), () => 1, { tags }),
    getMany: () => cache.getMany([key('a'), key('d')]),
    setMany: () => cache.setMany([[key('a'), 1], [key('d'), 2]], { tags }),
    getOrSetMany: () => cache.getOrSetMany(['e', 'f'], ids => ids, { key, tags }),
    expire: () => cache.expire(key('e')),
    delete: () => cache.delete(key('f')),
    invalidateTags: () => cache.invalidateTags(key('tag'), key('other')),
    clear: () => cache.clear(),
    deletePattern: () => t.rejects(cache.deletePattern(`*${personal}`), { code: 'FST_RSP_CACHE_PATTERN_HASHED' })
  }
  const others = ['constructor', 'name', 'getLocal', 'namespace', 'on', 'stats']
  t.strictSame(Object.getOwnPropertyNames(Cache.prototype).sort(), [...Object.keys(calls), ...others].sort(), 'every call is looked at')
  for (const call of Object.values(calls)) await call!()
  const invalidation = app.respite.use('invalidation')
  await app.cache.set(key('root'), 1, { tags })
  await invalidation.drop({ keys: [key('root')], tags })
  await invalidation.hold!({ keys: [key('root')], tags }, { holdMs: 60 })
  await invalidation.fill(key('warm'), async () => 1, {})
  await raw.ping('the end')
  await until('all of it was said', () => said.some(line => line.includes('the end')))
  t.ok(said.filter(line => line.includes('watched:v1:val:cache%3Ausers:{')).length > 10)
  t.strictSame(said.filter(line => line.includes('ada')), [])
  const keys = await raw.keys('watched:*')
  t.ok(keys.filter(key => /:(val|lease):cache(%3Ausers)?:\{[\w-]{32}\}$|:tag:\{cache(%3Ausers)?:[\w-]{32}\}$/.test(key)).length >= 6)
  t.strictSame(keys.filter(key => key.includes('ada')), [])
})

t.test('errors, logs, events and what waits in the queue name keys by their hash alone; reports, which are the caller\'s, as the caller does', async t => {
  const lines: string[] = []
  const server = await startRedis()
  t.teardown(() => server.stop())
  const app = Fastify({ forceCloseConnections: true, logger: { level: 'trace', stream: { write: (line: string) => { lines.push(line) } } } })
  await app.register(redis, { url: server.url, boot: 'wait', deadlineMs: 2_000 })
  await app.register(cachePlugin, { ...hashed, maxItems: 2 })
  t.teardown(() => app.close())
  const told: { event: string }[] = []
  for (const name of ['hit', 'miss', 'fill', 'set', 'invalidate', 'evict'] as const) app.cache.on(name, event => { told.push({ ...event, event: name }) })
  await app.ready()
  const { cache } = app
  const key = (what: string | number) => `${what}:${personal}`
  const tags = [key('tag')]
  const errors: unknown[] = []
  const failed = async (work: () => Promise<unknown>) => {
    try {
      await work()
      t.fail('it did not fail')
    } catch (error) {
      errors.push((error as Error).message, (error as Error).stack)
    }
  }
  const reported: string[] = []
  const onReport = ({ key }: { key: string }) => { reported.push(key) }
  await cache.get(key('a'), { onReport })
  await cache.getOrSetMany([1, 2, 3], ids => ids, { key, tags, onReport })
  await cache.getMany([key(1), key(1), key(2), key(3)], { onReport })
  t.strictSame([...new Set(reported)].sort(), ['1', '2', '3', 'a'].map(key))
  await until('local copies push each other out', async () => {
    await cache.getMany([1, 2, 3].map(key))
    return cache.stats().evictions > 0
  })
  await failed(() => cache.set(key('f'), () => 1))
  await failed(() => cache.set(key('u'), undefined))
  await failed(() => cache.get(personal.split('') as never))
  await failed(() => cache.deletePattern(`${personal}*`))
  await failed(() => cache.set(key('t'), 1, { tags: [`${personal}${'x'.repeat(2_000)}`] }))
  await failed(() => cache.getOrSet(key('late'), () => new Promise(() => undefined), { timeouts: { hard: 5 } }))
  const invalidation = app.respite.use('invalidation')
  t.throws(() => invalidation.check!({ patterns: [`${personal}*`] }), { code: 'FST_RSP_CACHE_PATTERN_HASHED' })
  t.throws(() => invalidation.check!({ keys: [5 as never] }), { code: 'FST_RSP_CACHE_KEY_INVALID', message: /of type number/ })
  await cache.expire(key(1))
  await cache.getOrSet(key(1), () => { throw new TypeError('no weather') }, { staleIfError: '1m' }).catch(() => undefined)
  await server.kill()
  await cache.get(key(1))
  await cache.set(key('g'), 1, { tags })
  const waits = await Promise.all([cache.delete(key('a')), cache.invalidateTags(...tags)])
  t.ok(waits.every(({ queued }) => queued === 1))
  const lost = waits.map(({ settled }) => failed(() => settled))
  await app.close()
  await Promise.all(lost)
  await until('all is told', () => ['hit', 'miss', 'fill', 'invalidate', 'evict'].every(name => told.some(({ event }) => event === name)))
  t.equal(errors.length, 16)
  for (const where of [errors, lines, told]) t.strictSame(where.filter(text => JSON.stringify(text).includes('ada')), [])
  t.ok(JSON.stringify(errors).includes(new HashedNames(keySecret, 'cache').key(key('late'))), 'the hash tells one key from another')
  for (const where of [errors, lines, told]) t.notOk(JSON.stringify(where).includes(keySecret))
})

t.test('a push, which names what has changed by its hash, ends the local copy', async t => {
  const [here, there] = [await started('pushed'), await started('pushed')]
  for (const end of [() => there.cache.delete('k'), () => there.cache.set('k', 'v2'), () => there.cache.invalidateTags('t'), () => there.cache.clear()]) {
    await here.cache.set('k', 'v1', { tags: ['t'] })
    await until('there is a local copy', async () => await here.cache.get('k') === 'v1' && here.cache.getLocal('k') === 'v1')
    await end()
    await until('it has ended', () => here.cache.getLocal('k') === undefined)
    t.not(await here.cache.get('k'), 'v1')
  }
})

t.test('a namespace hashes its keys by itself, or leaves it to the others', async t => {
  const app = await started('alone', { keySecret })
  const below = app.cache.namespace('people', { hashKeys: true })
  const lists = below.namespace('lists', { hashKeys: false })
  for (const cache of [app.cache, below, lists, below.namespace('under')]) await cache.set('k', 1)
  const keys = (await raw.keys('alone:v1:val:*')).map(key => key.replace(/[\w-]{32}/, 'hash')).sort()
  t.strictSame(keys, ['alone:v1:val:cache%3Apeople%3Alists:{k}', 'alone:v1:val:cache%3Apeople%3Aunder:{hash}', 'alone:v1:val:cache%3Apeople:{hash}', 'alone:v1:val:cache:{k}'])
  t.match(await app.cache.deletePattern('k'), { dropped: 1 })
  await t.rejects(below.deletePattern('k'), { code: 'FST_RSP_CACHE_PATTERN_HASHED', message: /'cache:people'/ })
})

t.test('equal keys have other names elsewhere, under another secret, and as tags; all names are alike in length', async t => {
  const names = new HashedNames(keySecret, 'a')
  const others = [names.tags(['k'])[0], new HashedNames(keySecret, 'b').key('k'), new HashedNames(`${keySecret} `, 'a').key('k'), names.key('k '), names.key('\uD800'), names.key('\uD801'), names.key('\uFFFD'), names.key('')]
  t.equal(new Set([names.key('k'), ...others]).size, 1 + others.length)
  for (const name of [names.key('k'), ...others]) t.match(name, /^[\w-]{32}$/)
  t.equal(names.key('k'), new HashedNames(keySecret, 'a').key('k'), 'every process finds the same')
  const long = 'x'.repeat(65_536)
  t.equal(names.key(long), names.key(long))
})

t.test('the context of a factory is as it is elsewhere', async t => {
  const app = await started('context')
  const { cache } = app
  await cache.getOrSet('k', () => 'old', { swr: '1m' })
  await cache.expire('k')
  let seen: Partial<FillContext> = {}
  await cache.getOrSet('k', context => {
    const { ttl, skip, tag } = context
    seen = { stale: context.stale, signal: context.signal }
    ttl('2h')
    tag('t')
    if (context.stale === undefined) skip()
    return 'new'
  }, { swr: '1m' })
  await until('it is refreshed', async () => await cache.get('k') === 'new')
  t.equal(seen.stale, 'old')
  t.equal(seen.signal?.aborted, false)
  t.ok((await cache.getWithTtl('k'))!.ttlMs > 3_600_000)
  await cache.invalidateTags('t')
  t.equal(await cache.get('k'), undefined)
  await cache.getOrSet('k', ({ skip }) => { skip(); return 1 })
  t.equal(await cache.get('k'), undefined)
})

t.test('answers of routes are kept under hashed keys too, and end by their tags', async t => {
  const app = await assemble({ url: server.url, keyPrefix: 'routes', boot: 'wait' }, hashed)
  t.teardown(() => app.close())
  let runs = 0
  app.get('/people/:id', { config: { cache: { ttl: '1m', tags: ['people'] } } }, async () => ({ runs: ++runs }))
  await app.ready()
  const url = `/people/${personal}`
  const ask = async () => (await app.inject(url)).headers['x-cache']
  t.strictSame([await ask(), await ask()], ['MISS', 'HIT'])
  await until('it is given from this process', async () => {
    const { hits: { l1, l2 } } = app.cache.stats()
    await ask()
    const { hits } = app.cache.stats()
    return hits.l1 === l1 + 1 && hits.l2 === l2
  })
  await app.cache.namespace('http').invalidateTags('people')
  t.equal(await ask(), 'MISS')
  const keys = await raw.keys('routes:*')
  t.ok(keys.some(key => key.includes(':val:')))
  t.strictSame(keys.filter(key => key.includes('ada') || key.includes('people')), [])
})

t.test('a secret that is missing or short fails at boot, named and not shown', async t => {
  await t.rejects(assemble({}, { hashKeys: true }), { code: 'FST_RSP_OPTION_INVALID', message: /'keySecret'.*missing/ })
  const short = 'of 31 characters, one too few..'
  const error = await t.rejects(assemble({}, { hashKeys: true, keySecret: short }), { code: 'FST_RSP_OPTION_INVALID', message: /'keySecret'.*32 characters/ }) as Error
  t.notOk(error.message.includes(short))
  const app = await assemble({})
  t.teardown(() => app.close())
  t.throws(() => app.cache.namespace('people', { hashKeys: true }), { code: 'FST_RSP_OPTION_INVALID', message: /'keySecret'.*missing/ })
})
