import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { randomToken } from '@respite/redis'
import { gate, startRedis, until } from '@respite/testing'
import type { InvalidatorOptions } from '@respite/invalidator'
import { type Where, assemble } from './assemble.ts'

const server = await startRedis()
t.teardown(() => server.stop())

interface Pair { here: FastifyInstance, there: FastifyInstance }

/** A database with one row, whose new version others see from the commit on. */
class Row {
  value = 'v1'
  commit (value: string) { this.value = value }
}

async function started (t: Test, where: Where, options: InvalidatorOptions = {}) {
  const app = await assemble(where, options)
  t.teardown(() => app.close())
  await app.ready()
  return app
}

async function overRedis (t: Test, options: InvalidatorOptions = {}): Promise<Pair> {
  const where: Where = { url: server.url, boot: 'wait', keyPrefix: randomToken() }
  return { here: await started(t, where, options), there: await started(t, where, options) }
}

const places: [string, (t: Test, options?: InvalidatorOptions) => Promise<Pair>][] = [
  ['memory', async (t, options) => {
    const here = await started(t, {}, options)
    return { here, there: here }
  }],
  ['a real Redis with two apps', overRedis]
]

for (const [place, pair] of places) {
  // Seen with hooks of an ORM: the hook drops inside the transaction, a reader loads the row as it was and stores it, then comes the commit.
  t.test(`R15, ${place}: what a hook drops inside the transaction, and a reader puts back, is gone when mutate resolves`, async t => {
    for (const [way, what] of [['key', { keys: ['row'] }], ['tag', { tags: ['table'] }], ['pattern', { patterns: ['ro*'] }]] as const) {
      const { here, there } = await pair(t)
      const row = new Row()
      const read = (app: FastifyInstance) => app.cache.getOrSet('row', () => row.value, { tags: ['table'] })
      t.equal(await read(there), 'v1')
      const hooked = gate()
      const change = here.invalidator.mutate(what, async () => {
        await here.respite.use('invalidation').drop(what) // the hook
        await hooked.pass()
        row.commit('v2')
      })
      await hooked.reached
      t.equal(await read(there), 'v1', 'a reader inside the transaction puts the old row back')
      t.equal(await there.cache.get('row'), 'v1')
      hooked.open()
      await change
      t.equal(await read(here), 'v2', way)
      await until('the push has come', async () => await read(there) === 'v2')
      t.equal(await here.cache.get('row'), 'v2')
    }
  })

  t.test(`R15, ${place}: a load that began before the write, or during it, never stores the old row`, async t => {
    const { here, there } = await pair(t)
    const row = new Row()
    const loaded = gate()
    const before = there.cache.getOrSet('row', async () => {
      const value = row.value
      await loaded.pass()
      return value
    })
    await loaded.reached
    const commit = gate()
    const change = here.invalidator.mutate({ keys: ['row'] }, async () => {
      await commit.pass()
      row.commit('v2')
    })
    await commit.reached
    let runs = 0
    const during = there.cache.getOrSet('row', () => { runs++; return row.value })
    loaded.open()
    t.equal(await before, 'v1', 'who began before may have it')
    t.equal(await there.cache.get('row'), undefined, 'and has not stored it')
    t.equal(runs, 0, 'who asks during the write waits for it')
    commit.open()
    await change
    t.equal(await during, 'v2')
    t.equal(await here.cache.getOrSet('row', () => 'never'), 'v2')
    t.equal(runs, 1)
  })

  t.test(`${place}: a write that fails drops too, since its commit may have happened, and its error is the caller's`, async t => {
    const { here, there } = await pair(t)
    const row = new Row()
    await there.cache.set('row', 'v1')
    await there.cache.set('other', 'v1')
    const failure = new TypeError('connection lost after COMMIT')
    await t.rejects(here.invalidator.mutate({ keys: ['row'] }, async also => {
      row.commit('v2')
      also({ keys: ['other'] })
      throw failure
    }), failure)
    t.equal(await here.cache.getOrSet('row', () => row.value), 'v2')
    t.equal(await here.cache.get('other'), undefined)
  })

  t.test(`${place}: a process that dies after the commit leaves nothing old for the keys it held`, async t => {
    const { here, there } = await pair(t, { hold: 100 })
    const row = new Row()
    await there.cache.set('row', 'v1')
    const committed = gate()
    const died = here.invalidator.mutate({ keys: ['row'] }, async () => {
      row.commit('v2')
      await committed.pass() // and never comes back
    })
    await committed.reached
    await until('no process has the old value', async () => await there.cache.get('row') !== 'v1')
    t.equal(await there.cache.getOrSet('row', () => row.value), 'v2', 'the hold ends by itself')
    t.equal(await there.cache.get('row'), 'v2')
    committed.open()
    await died
  })

  t.test(`${place}: by the definition of an entity; what only the write knows it names itself`, async t => {
    const { here, there } = await pair(t)
    for (const { invalidator } of new Set([here, there])) {
      invalidator.define<{ id: number, org: number }>('member', { keys: m => [`member:${m.id}`], lists: m => [`org:${m.org}:*`], tags: m => [`org:${m.org}`] })
    }
    const keys = ['member:7', 'org:1:a', 'org:2:a', 'org:3:a']
    for (const key of keys) await there.cache.set(key, 1)
    const report = await here.invalidator.mutate({ entity: 'member', states: [{ id: 7, org: 1 }, undefined] }, also => {
      const after = { id: 7, org: 2 }
      also({ entity: 'member', states: [after] })
      return after
    })
    t.match(report, { value: { id: 7, org: 2 }, keys: ['member:7'], patterns: ['org:1:*', 'org:2:*'], tags: ['org:1', 'org:2'], dropped: 3, queued: 0, published: false })
    await report.settled
    const values = await Promise.all(keys.map(key => here.cache.get(key)))
    t.strictSame(keys.filter((_, i) => values[i] !== undefined), ['org:3:a'])
  })
}

t.test('what is wrong is refused before the write is begun, with its path and value', async t => {
  const { invalidator } = await started(t, {})
  let writes = 0
  for (const [what, message] of [
    [['org:1', 7], /'tags\[1\]' is 7/], [{ keys: 'k' }, /'keys' is 'k'/], [{ key: ['k'] }, /'key' is/], ['org:1', /'\(all\)' is 'org:1'/], [undefined, /'\(all\)' is undefined/],
    [{ entity: 7 }, /'entity' is 7/], [{ entity: 'user', states: {} }, /'states' is {}/], [{ keys: [''] }, /'keys\[0\]' is ''/]
  ] as const) await t.rejects(invalidator.mutate(what as never, () => { writes++ }), { code: 'FST_RSP_INVALIDATOR_WHAT_INVALID', message })
  await t.rejects(invalidator.mutate(['x'.repeat(10_240)], () => { writes++ }), { code: 'FST_RSP_CACHE_TAG_INVALID' })
  await t.rejects(invalidator.mutate({ entity: 'user', states: [{}] }, () => { writes++ }), { code: 'FST_RSP_INVALIDATOR_TARGETS_INVALID' })
  t.equal(writes, 0)
})

t.test('a list of texts is a list of tags', async t => {
  const { invalidator, cache } = await started(t, {})
  await cache.set('row', 1, { tags: ['table'] })
  t.match(await invalidator.mutate(['table', 'table'], () => 5), { value: 5, keys: [], patterns: [], tags: ['table'] })
  t.equal(await cache.get('row'), undefined)
})

t.test('a strategy of ttl holds and drops nothing; the value is the write\'s', async t => {
  const { invalidator, cache } = await started(t, {})
  invalidator.define('weather', { strategy: 'ttl' })
  await cache.set('weather:1', 1)
  t.match(await invalidator.mutate({ entity: 'weather', states: [{ id: 1 }] }, () => 'sun'), { value: 'sun', keys: [], dropped: 0 })
  t.equal(await cache.get('weather:1'), 1)
})

t.test('two mutations of one key at once: when both have resolved, the newer row is read', async t => {
  const { here, there } = await overRedis(t)
  for (let round = 0; round < 20; round++) {
    const row = new Row()
    const key = `row${round}`
    const read = (app: FastifyInstance) => app.cache.getOrSet(key, () => row.value)
    const changes = [here, there].map((app, i) => app.invalidator.mutate({ keys: [key] }, async () => {
      await new Promise(resolve => setImmediate(resolve))
      row.commit(`v${2 + i}`)
    }))
    const readers = [here, there, here, there].map(read)
    await Promise.all(changes)
    t.equal(await here.cache.getOrSet(key, () => row.value), row.value)
    await until('the other reads it too', async () => await read(there) === row.value)
    await Promise.all(readers)
  }
})

t.test('Redis down: the write is made, what could not be dropped is queued, and gone once it is back', async t => {
  const other = await startRedis()
  t.teardown(() => other.stop())
  const app = await started(t, { url: other.url, boot: 'wait', deadlineMs: 100 })
  await app.cache.set('row', 'v1')
  other.freeze()
  const report = await app.invalidator.mutate({ keys: ['row'], tags: ['table'] }, () => 'written')
  t.match(report, { value: 'written', dropped: 0, queued: 2, published: false })
  other.thaw()
  await report.settled
  t.equal(await app.cache.getOrSet('row', () => 'v2'), 'v2')
})
