import redisPlugin from '@respite/redis'
import { startProxy, until } from '@respite/testing'
import Fastify from 'fastify'
import t from 'tap'
import tracking from '../src/index.ts'
import { secret } from './assemble.ts'
import { connected, redisOf, trackedOver } from './linked.ts'

t.test('with Redis gone the buffer is bounded and drops are counted; back again, what was kept is flushed', async t => {
  const { server } = await redisOf(t)
  const app = await connected(t, { url: server.url }, async app => {
    await app.register(tracking, { key: secret, maxBuffered: 50, flushEveryMs: 5, who: request => request.headers['x-user'] as string })
    app.get('/ping', { config: { track: 'ping' } }, async () => ({}))
  })
  await app.inject({ url: '/ping', headers: { 'x-user': 'before' } })
  await until('the first event in Redis', async () => await app.tracking.calls('ping') === 1)

  await server.kill()
  await until('the link to know', () => app.respite.link.state === 'down')
  for (let i = 0; i < 60; i++) t.equal((await app.inject({ url: '/ping', headers: { 'x-user': `user:${i}` } })).statusCode, 200)
  await until('the buffer to be full', () => app.tracking.buffered === 50)
  await t.rejects(app.tracking.calls('ping'), { code: /^FST_RSP_REDIS_/ })

  await server.restart()
  await until('the buffer to be flushed', () => app.tracking.buffered === 0)
  t.equal(await app.tracking.calls('ping'), 50)
  t.match(await app.respite.health.report(), { parts: { tracking: { buffered: 0, dropped: 10 } } })
})

t.test('two processes over one Redis count together, and close leaves nothing behind', async t => {
  const { server } = await redisOf(t)
  const apps = await Promise.all([1, 2].map(() => trackedOver(t, { url: server.url })))
  for (const app of apps) for (const who of ['alice', 'bob', 'alice']) app.tracking.observe('ping', who)
  await apps[1]!.close()
  t.same(await apps[0]!.tracking.top('ping'), [{ id: 'alice', count: 4, maxOver: 0 }, { id: 'bob', count: 2, maxOver: 0 }])
  t.equal((await apps[0]!.tracking.unique('ping').count()).value, 2)
  await apps[0]!.close()
})

t.test('a foreign value under one of our keys costs that batch, not the others', async t => {
  const { client } = await redisOf(t)
  const app = await trackedOver(t, { client })
  await client.set('respite:v1:track:{broken}:t:all', 'not a sorted set')
  app.tracking.observe('broken', 'alice')
  app.tracking.observe('ping', 'alice')
  await app.tracking.flush()
  t.equal(app.tracking.buffered, 0)
  t.equal(await app.tracking.calls('ping'), 1)
})

t.test('with Redis, no key is a boot error', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  app.register(redisPlugin, { url: 'redis://127.0.0.1:1' })
  app.register(tracking)
  await t.rejects(async () => { await app.ready() }, { code: 'FST_RSP_TRACKING_KEY_MISSING' })
})

t.test('C4: an answer that is lost on its way does not make a flush count twice', async t => {
  const { server, client } = await redisOf(t)
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  const app = await trackedOver(t, { url: `redis://127.0.0.1:${proxy.port}` })
  app.tracking.observe('ping', 'first')
  await app.tracking.flush()
  for (let round = 1; round <= 3; round++) {
    proxy.hold()
    app.tracking.observe('ping', `user:${round}`)
    const flushed = app.tracking.flush()
    // Redis has it, and this process does not know.
    await until('the flush in Redis', async () => Number(await client.hget('respite:v1:track:{ping}:c:all', '#')) === round + 1)
    proxy.cut()
    proxy.release()
    await flushed
    await until('the batch to be sent again', () => app.tracking.buffered === 0)
  }
  t.equal(await app.tracking.calls('ping'), 4)
  t.match(await app.tracking.unique('ping').count(), { value: 4, exact: true })
  t.same((await app.tracking.top('ping')).map(({ count }) => count), [1, 1, 1, 1])
})

t.test('a server that is full, or read-only, loses nothing: what it refused is counted when it takes it', async t => {
  const { client } = await redisOf(t)
  const app = await trackedOver(t, { client })
  app.tracking.observe('ping', 'alice')
  await app.tracking.flush()
  let expected = 1
  const command = (line: string) => client.call(...line.split(' ') as [string, ...string[]])
  for (const [refuse, accept] of [['CONFIG SET maxmemory 1', 'CONFIG SET maxmemory 0'], ['REPLICAOF 127.0.0.1 1', 'REPLICAOF NO ONE']] as const) {
    await command(refuse)
    app.tracking.observe('ping', 'alice')
    app.tracking.observe('new one', 'alice')
    await app.tracking.flush()
    t.equal(app.tracking.buffered, 2, refuse)
    await command(accept)
    await until('the server to take it', async () => {
      await app.tracking.flush()
      return app.tracking.buffered === 0
    })
    t.equal(await app.tracking.calls('ping'), ++expected)
    t.equal(await app.tracking.calls('new one'), expected - 1)
  }
  t.match(await app.respite.health.report(), { parts: { tracking: { dropped: 0 } } })
})

t.test('where the names of metrics are of a foreign type, counts go on', async t => {
  const { client } = await redisOf(t)
  const app = await trackedOver(t, { client })
  await client.set('respite:v1:track:names', 'not a sorted set')
  app.tracking.observe('ping', 'alice')
  t.equal(await app.tracking.calls('ping'), 1)
  await t.rejects(app.tracking.erase('alice'), { code: 'FST_RSP_REDIS_REPLY' })
})

t.test('metrics that Redis has lost are found again within a minute; with Redis gone, an erasure says so', async t => {
  const { server, client } = await redisOf(t)
  let aheadMs = 0
  const app = await connected(t, { url: server.url }, async app => {
    const { clock } = app.respite
    Object.assign(app.respite, { clock: { wallMs: () => clock.wallMs() + aheadMs, monotonicMs: () => clock.monotonicMs() + aheadMs } })
    await app.register(tracking, { key: secret, flushEveryMs: 60_000 })
  })
  app.tracking.observe('ping', 'alice')
  await app.tracking.flush()
  await client.flushall()
  aheadMs = 61_000
  app.tracking.observe('ping', 'alice')
  await app.tracking.flush()
  t.same(await client.zrange('respite:v1:track:names', '0', '-1'), ['ping'])
  await server.kill()
  await until('the link to know', () => app.respite.link.state === 'down')
  await t.rejects(app.tracking.export('alice'), { code: /^FST_RSP_REDIS_/ })
  await t.rejects(app.tracking.erase('alice'), { code: /^FST_RSP_REDIS_/ })
})

t.test('a metric that the user may not write leaves the others their places in the buffer', async t => {
  const { server, client } = await redisOf(t)
  await client.call('ACL', 'SETUSER', 'app', 'on', '>pw', '+@all', '&*', '~respite:v1:track:{ping}:*', '~respite:v1:track:names')
  const app = await trackedOver(t, { url: `redis://app:pw@127.0.0.1:${server.port}` }, { maxBuffered: 100 })
  for (let i = 0; i < 150; i++) app.tracking.observe('forbidden', `user:${i}`)
  await app.tracking.flush()
  t.equal(app.tracking.buffered, 100)
  for (let i = 0; i < 50; i++) app.tracking.observe('ping', `user:${i}`)
  t.equal(await app.tracking.calls('ping'), 50)
  t.match(await app.respite.health.report(), { parts: { tracking: { buffered: 50, dropped: 100 } } })
})
