import Fastify from 'fastify'
import t from 'tap'
import redis, { systemClock } from '@respite/redis'
import cachePlugin from '@respite/cache'
import { gate, startRedis, until } from '@respite/testing'
import { ownPrefix, pairOver, strangerAt } from './app-over.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const raw = strangerAt(t, server.url)
const dayMs = 86_400_000

/** What time does to a server's keys, at once. */
const age = `
for _, key in ipairs(redis.call('KEYS', ARGV[1])) do
  local left = redis.call('PTTL', key)
  if left <= tonumber(ARGV[2]) then
    redis.call('DEL', key)
  else
    redis.call('PEXPIRE', key, left - ARGV[2])
    if string.find(key, ':val:', 1, true) then
      local soft = tonumber(redis.call('GETRANGE', key, 13, 25))
      redis.call('SETRANGE', key, 13, string.format('%013.0f', math.max(0, soft - ARGV[2])))
    end
  end
end`

t.test('R4: lost records of tags and namespaces make misses, never hits', async t => {
  const { here, there, keyPrefix } = await pairOver(t, server.url)
  const reload = async (what: string) => {
    let runs = 0
    await here.cache.getOrSet('k', () => { runs++; return 1 }, { tags: ['t'] })
    t.equal(runs, 1, what)
    await here.cache.getOrSet('k', () => { runs++; return 1 }, { tags: ['t'] })
    t.equal(runs, 1, `${what}, again`)
  }
  await reload('at first')
  await there.cache.invalidateTags('t')
  await raw.del(`${keyPrefix}:v1:tag:{cache:t}`)
  await until('the push has come', async () => await here.cache.get('k') === undefined)
  await reload('the tag is lost after its bump')
  await raw.del(`${keyPrefix}:v1:ns:{cache}`)
  await until('the push has come', async () => await here.cache.get('k') === undefined)
  await reload('the namespace is lost')
  await raw.del(`${keyPrefix}:v1:clk:{cache}`)
  t.equal(await here.cache.get('k'), 1, 'the clock of bumps is not needed to read')
})

t.test("R4: with the namespace's version deleted all miss, in every process, and nothing of it is ever found again", async t => {
  const { here, there, keyPrefix } = await pairOver(t, server.url)
  const keys = Array.from({ length: 50 }, (_, i) => `k${i}`)
  const options = { swr: '1h', staleIfError: '1h', tags: ['t'] } as const
  for (const key of keys) await here.cache.getOrSet(key, () => 'old', options)
  await here.cache.expire(...keys.slice(0, 25))
  await Promise.all([...await here.cache.getMany(keys), ...await there.cache.getMany(keys)])
  await raw.del(`${keyPrefix}:v1:ns:{cache}`)
  await until('the pushes have come', () => keys.every(key => here.cache.getLocal(key) === undefined && there.cache.getLocal(key) === undefined))
  t.equal(await raw.exists(...keys.map(key => `${keyPrefix}:v1:val:cache:{${key}}`)), keys.length, 'the entries are there')
  for (const [i, key] of keys.entries()) {
    const { cache } = i % 2 === 0 ? here : there
    t.equal(await cache.get(key), undefined)
    // The first fill mints a version, under which the others are as dead as without one.
    const load = () => { if (i % 5 === 4) throw new TypeError('down'); return 'new' }
    if (i % 5 === 4) await t.rejects(cache.getOrSet(key, load, options), /down/, 'not as stale either')
    else t.equal(await cache.getOrSet(key, load, options), 'new')
  }
})

t.test('R4: with the counter of bumps deleted nothing is brought back, and the fills that began before are refused', async t => {
  const { here, there, keyPrefix } = await pairOver(t, server.url)
  for (const again of [1, 2, 3]) {
    await here.cache.getOrSet('before', ({ tag }) => { tag('t'); return 'v1' })
    const hold = gate()
    const old = here.cache.getOrSet('k', async ({ tag }) => { await hold.pass(); tag('t'); return 'v1' })
    await hold.reached
    await raw.del(`${keyPrefix}:v1:clk:{cache}`)
    // As often as the counter had counted.
    for (let i = 0; i < again; i++) await there.cache.invalidateTags('t')
    hold.open()
    t.equal(await old, 'v1')
    t.equal(await there.cache.get('k'), undefined)
    t.equal(await there.cache.get('before'), undefined)
  }
})

t.test('R4: ten days on, by the clocks of server and process, the entries that are meant to be there are, and still end with their tags', async t => {
  const keyPrefix = ownPrefix()
  let passedMs = 0
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url, keyPrefix, boot: 'wait', deadlineMs: 2_000 })
  Object.assign(app.respite, { clock: { wallMs: () => systemClock.wallMs() + passedMs, monotonicMs: () => systemClock.monotonicMs() + passedMs } })
  await app.register(cachePlugin)
  const { cache } = app
  const options = { ttl: '30d', tags: ['t'] } as const
  await cache.getOrSet('declared', () => 1, options)
  await cache.getOrSet('added', ({ tag }) => { tag('u'); return 2 }, { ttl: '30d' })
  await cache.set('set', 3, options)
  await cache.set('short', 4, { ttl: '9d', tags: ['t'] })
  t.equal(await cache.get('declared'), 1)
  for (const name of ['tag:{cache:t}', 'tag:{cache:u}', 'ns:{cache}']) {
    await until(`${name} outlives the entries`, async () => await raw.pttl(`${keyPrefix}:v1:${name}`) > 30 * dayMs)
  }
  passedMs = 10 * dayMs
  await raw.eval(age, 0, `${keyPrefix}:*`, 10 * dayMs)
  t.strictSame(await cache.getMany(['declared', 'added', 'set', 'short']), [1, 2, 3, undefined])
  t.ok((await cache.getWithTtl('set'))!.ttlMs <= 20 * dayMs)
  await cache.invalidateTags('t')
  t.strictSame(await cache.getMany(['declared', 'added', 'set']), [undefined, 2, undefined])
  await cache.invalidateTags('u')
  t.equal(await cache.get('added'), undefined)
  passedMs = 25 * dayMs
  await raw.eval(age, 0, `${keyPrefix}:*`, 15 * dayMs)
  // The tags' records have ended, and are minted anew: what carried the old ones is as dead as before.
  t.equal(await raw.exists(`${keyPrefix}:v1:val:cache:{set}`), 1)
  await raw.del(`${keyPrefix}:v1:tag:{cache:t}`)
  await cache.set('other', 5, options)
  t.strictSame(await cache.getMany(['declared', 'set', 'other']), [undefined, undefined, 5])
})
