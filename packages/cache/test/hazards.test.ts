import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { randomToken } from '@respite/redis'
import { gate, startProxy, startRedis, until } from '@respite/testing'
import type { CachePluginOptions } from '@respite/cache'
import { assemble } from './assemble.ts'
import { turnsOf } from './turns.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const raw = new Redis(server.url)
t.teardown(() => { raw.disconnect() })

/** Two processes' worth of apps under a prefix of their own. */
async function pair (t: Test, options: CachePluginOptions = {}): Promise<{ here: FastifyInstance, there: FastifyInstance, keyPrefix: string }> {
  const keyPrefix = `h${randomToken()}`.replace(/\W/g, '')
  const make = async () => {
    const app = await assemble({ url: server.url, keyPrefix, boot: 'wait' }, options)
    t.teardown(() => app.close())
    await app.ready()
    return app
  }
  return { here: await make(), there: await make(), keyPrefix }
}

t.test('a local copy asks Redis for nothing', async t => {
  const { here } = await pair(t)
  const calls = async () => [...(await raw.info('commandstats')).matchAll(/cmdstat_(evalsha|get|hget):calls=(\d+)/g)].reduce((sum, [, , count]) => sum + Number(count), 0)
  await here.cache.set('k', 'v')
  await until('a local copy is there', async () => await here.cache.get('k') === 'v' && here.cache.getLocal('k') === 'v')
  const before = await calls()
  for (let i = 0; i < 1_000; i++) await here.cache.getOrSet('k', () => 'never')
  t.equal(await calls(), before)
})

t.test('R13: FLUSHALL ends every local copy', async t => {
  const { here } = await pair(t)
  await here.cache.set('k', 'v1')
  await until('a local copy is there', async () => await here.cache.get('k') === 'v1' && here.cache.getLocal('k') === 'v1')
  await raw.flushall()
  await until('it is gone', async () => await here.cache.get('k') === undefined)
})

t.test('records that a stranger has changed are misses, counted; those of another release are kept', async t => {
  const { here, keyPrefix } = await pair(t)
  const key = `${keyPrefix}:v1:val:cache:{k}`
  const unreadable = async (reason: string) => {
    const metric = (await here.respite.metrics.read()).find(({ name }) => name === 'cache_unreadable_total')!
    return [...metric.entries()].filter(([labels]) => labels[0] === reason).reduce((sum, [, series]) => sum + (series as { value: number }).value, 0)
  }
  const change = async (edit: (record: Buffer) => Buffer) => {
    await here.cache.set('k', { a: 1 })
    await raw.set(key, edit((await raw.getBuffer(key))!))
    await until('the push has come', () => here.cache.getLocal('k') === undefined)
  }
  const corrupt: [string, (record: Buffer) => Buffer][] = [
    ['truncated head', record => record.subarray(0, 20)], ['truncated body', record => record.subarray(0, -2)],
    ['other body', record => Buffer.concat([record.subarray(0, -7), Buffer.from('{"$":[')])], ['one byte', record => record.subarray(0, 1)]
  ]
  for (const [what, edit] of corrupt) {
    const before = await unreadable('corrupt')
    await change(edit)
    // What has no readable soft expiry is not fresh; looked at, it is found broken all the same.
    t.equal(await here.cache.get('k'), undefined, what)
    t.ok(await unreadable('corrupt') > before, `${what} is counted`)
    await until('it is dropped', async () => await raw.exists(key) === 0)
    t.strictSame(await here.cache.getOrSet('k', () => 'new'), 'new', what)
    t.equal(await here.cache.get('k'), 'new', what)
  }
  await change(record => Buffer.concat([record.subarray(0, -7), Buffer.from('{"__proto__":{"admin":true},"a":1}')]))
  const value = await here.cache.get<Record<string, unknown>>('k')
  t.strictSame(value, { a: 1 })
  t.equal(value!['admin'], undefined)
  const foreign = await unreadable('foreign')
  await change(record => Buffer.concat([Buffer.of(2), record.subarray(1)]))
  t.equal(await here.cache.get('k'), undefined)
  t.equal(await here.cache.getOrSet('k', () => 'mine'), 'mine')
  t.equal((await raw.getBuffer(key))![0], 2, 'a newer release wrote it: it stays')
  t.equal(await unreadable('foreign'), foreign + 2)
  await raw.del(key)
  await raw.hset(key, 'field', 'not a string')
  t.equal(await here.cache.getOrSet('k', () => 'still'), 'still')
})

t.test('l2Timeout: a call goes on without Redis when it does not answer in time', async t => {
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  const app = await assemble({ url: `redis://127.0.0.1:${proxy.port}`, keyPrefix: 'slow', boot: 'wait', deadlineMs: 60_000 })
  t.teardown(() => app.close())
  await app.ready()
  proxy.blackHole = true
  t.equal(await app.cache.getOrSet('k', () => 1, { l2Timeout: 30 }), 1)
  proxy.blackHole = false
  proxy.cut()
})

t.test('l2Timeout holds for all that is asked before a factory, which may lie at several nodes: tags, those that the entry names, the clock', async t => {
  const { here, there } = await pair(t)
  const { link } = here.respite
  const untilTheFactory = () => turnsOf(link, () => new Promise((resolve, reject) => {
    here.cache.getOrSet('k', ({ tag }) => { tag('c'); resolve(undefined); return 1 }, { l2Timeout: 1_900, tags: ['a'] }).catch(reject)
  }))
  t.equal((await untilTheFactory()).commands, 0, 'nothing is there, and all is made')
  await there.cache.set('k', 1, { tags: ['a', 'b'] })
  await there.cache.invalidateTags('b')
  t.equal((await untilTheFactory()).commands, 0, 'the entry has a tag that nobody knew of')
})

t.test('R2: a run beside that of another process, whose tag was invalidated before a read began, is not its answer', async t => {
  const { here, there } = await pair(t)
  const [elsewhere, beside] = [gate(), gate()]
  let row = 'v1'
  const first = here.cache.getOrSet('k', async () => { await elsewhere.pass(); return row })
  await elsewhere.reached
  const load = async ({ tag }: { tag (name: string): void }) => {
    const loaded = row
    if (loaded === 'v1') await beside.pass()
    tag('x')
    return loaded
  }
  const old = there.cache.getOrSet('k', load, { singleFlight: 'process' })
  await beside.reached
  row = 'v2'
  await here.cache.invalidateTags('x')
  const read = there.cache.getOrSet('k', load, { singleFlight: 'process' })
  // Answered after the question of the read.
  await there.cache.get('other')
  beside.open()
  t.equal(await old, 'v1', 'who began before may have it')
  t.equal(await read, 'v2')
  elsewhere.open()
  await first
})
