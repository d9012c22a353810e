import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { createClient } from 'redis'
import type { FastifyInstance } from 'fastify'
import { randomToken } from '@respite/redis'
import { gate, openCluster, startRedis, until } from '@respite/testing'
import { type Where, assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const { open } = await openCluster(t)

async function started (t: Test, where: Where): Promise<FastifyInstance> {
  const app = await assemble(where)
  t.teardown(() => app.close())
  app.invalidator.define('user', { versioned: true, keys: [] })
  await app.ready()
  return app
}

async function two (t: Test, where: Where): Promise<[FastifyInstance, FastifyInstance]> {
  return [await started(t, where), await started(t, where)]
}

const places: [string, (t: Test) => Promise<[FastifyInstance, FastifyInstance]>][] = [
  ['memory', async t => {
    const app = await started(t, {})
    return [app, app]
  }],
  ['ioredis', t => two(t, { url: server.url, boot: 'wait', keyPrefix: randomToken() })],
  ['node-redis', async t => {
    const keyPrefix = randomToken()
    const make = () => started(t, { client: createClient({ url: server.url }), closeClient: true, boot: 'wait', keyPrefix } as unknown as Where)
    return [await make(), await make()]
  }],
  ['Cluster', async t => {
    const keyPrefix = randomToken()
    const make = () => started(t, { client: open(), boot: 'wait', keyPrefix })
    return [await make(), await make()]
  }]
]

for (const [place, apps] of places) {
  t.test(`${place}: a version stays until a change, then grows; other entities keep theirs`, async t => {
    const [here, there] = await apps(t)
    const read = () => here.invalidator.version('user', 7)
    let last = await read()
    const other = await here.invalidator.version('user', '8')
    t.match(last, /^\d{16}$/)
    t.equal(await there.invalidator.version('user', '7'), last, 'all processes have the same')
    for (let round = 0; round < 20; round++) {
      await there.invalidator.afterUpdate('user', undefined, { id: 7 })
      await until('the push has come', async () => await read() !== last)
      const version = await read()
      t.equal(await there.invalidator.version('user', 7), version)
      t.ok(Number(version) > Number(last), `${version} after ${last}`)
      last = version
    }
    t.equal(await here.invalidator.version('user', 8), other)
  })

  t.test(`${place}: what was loaded before a change is not found after it, whatever its key`, async t => {
    const [here] = await apps(t)
    let row = 'v1'
    const hold = gate()
    const read = async (slow = false) => {
      const version = await here.invalidator.version('user', 7)
      return here.cache.getOrSet(`report:7:${version}`, async () => {
        const loaded = row
        if (slow) await hold.pass()
        return loaded
      })
    }
    const old = read(true)
    await hold.reached
    row = 'v2'
    await here.invalidator.mutate({ entity: 'user', states: [{ id: 7 }] }, () => undefined)
    hold.open()
    t.equal(await old, 'v1')
    t.equal(await read(), 'v2')
    t.equal(await read(), 'v2')
  })
}

t.test('a version whose record is lost is still greater than all before it; the record expires', async t => {
  const keyPrefix = 'lost'
  const app = await started(t, { url: server.url, boot: 'wait', keyPrefix })
  const raw = new Redis(server.url)
  t.teardown(() => { raw.disconnect() })
  const key = `${keyPrefix}:v1:version:{user:7}`
  const first = await app.invalidator.version('user', 7)
  t.equal(await raw.get(key), first)
  t.ok(await raw.pttl(key) > 86_000_000)
  await raw.del(key)
  await app.invalidator.afterDelete('user', { id: 7 })
  t.ok(Number(await app.invalidator.version('user', 7)) > Number(first))
  // A server whose clock was set back.
  await raw.set(key, '9000000000000000')
  await app.invalidator.afterDelete('user', { id: 7 })
  t.equal(await app.invalidator.version('user', 7), '9000000000000001')
})

t.test('while Redis is down each version is a new one, which nobody stores under', async t => {
  const other = await startRedis()
  t.teardown(() => other.stop())
  const app = await started(t, { url: other.url, boot: 'wait', deadlineMs: 100 })
  const before = await app.invalidator.version('user', 7)
  other.freeze()
  const report = await app.invalidator.afterUpdate('user', undefined, { id: 7 })
  t.equal(report.queued, 1)
  const versions = [await app.invalidator.version('user', 7), await app.invalidator.version('user', 7)]
  t.equal(new Set([before, ...versions]).size, 3)
  other.thaw()
  await report.settled
  let after = ''
  await until('versions come from Redis again', async () => /^\d{16}$/.test(after = await app.invalidator.version('user', 7)))
  t.ok(Number(after) > Number(before))
})

t.test('a version is asked of an entity that has one, by an id', async t => {
  const app = await started(t, {})
  await t.rejects(app.invalidator.version('other', 7), { code: 'FST_RSP_INVALIDATOR_NOT_VERSIONED', message: /'other'/ })
  await t.rejects(app.invalidator.version('user', undefined as never), { code: 'FST_RSP_INVALIDATOR_TARGETS_INVALID', message: /'user'.*undefined/ })
  app.invalidator.define('named', { versioned: (it: { name: string }) => it.name, keys: [] })
  const before = await app.invalidator.version('named', 'a:b')
  await app.invalidator.afterUpdate('named', { name: 'a:b' }, { name: 'c' })
  t.not(await app.invalidator.version('named', 'a:b'), before)
})
