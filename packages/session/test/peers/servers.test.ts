import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { systemClock } from '@respite/redis'
import { sqliteStore, type StoredSession } from '@respite/session/store'
import { gate, startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { secrets } from '../grounds.ts'
import { copiesOf } from '../redis/house.ts'
import { WatchedStore } from '../watched-store.ts'
import { asked, expressApp, fastifyApp, Jar, type LibraryOptions, type Step } from './apps.ts'
import { libraryContract } from './library-contract.ts'

// One file and one Redis server for all of it: each test has browsers of its own.
const folder = mkdtempSync(join(tmpdir(), 'respite-session-peers-'))
const durable = sqliteStore(join(folder, 'sessions.db'))
t.before(() => durable.open({ migrate: true, clock: systemClock }))
t.teardown(async () => {
  await durable.close()
  rmSync(folder, { recursive: true, force: true })
})

async function servers (t: Test) {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 50 })
  client.on('error', () => undefined)
  t.teardown(async () => {
    server.thaw()
    client.disconnect()
    await server.stop()
  })
  return { server, client, options: (watched = new WatchedStore(durable)): LibraryOptions => ({ session: { secrets, durable: watched.store, durableDeadline: '20s' }, redis: { url: server.url } }) }
}

const one = (session: object = {}) => ({ cookie: { originalMaxAge: null, expires: null }, ...session }) as StoredSession

t.test('over Redis and SQLite', async t => {
  const { client, options } = await servers(t)
  t.test('@fastify/session', async t => libraryContract(t, fastifyApp, options))
  t.test('express-session', async t => libraryContract(t, expressApp, options))

  t.test('what is read is in Redis, what is not changed is not written', async t => {
    const watched = new WatchedStore(durable)
    const { app, call } = await fastifyApp(t, { cart: session => { session.cart = 1 }, read: session => session.cart }, options(watched))
    const jar = new Jar()
    await call('cart', jar)
    // The first read fills the copy, in the background.
    await until('the copy', async () => {
      const asked = watched.count('find')
      await call('read', jar)
      return watched.count('find') === asked
    })
    const [finds, saves] = [watched.count('find'), watched.count('save')]
    for (let i = 0; i < 5; i++) t.equal((await call('read', jar)).body, 1)
    t.same([watched.count('find'), watched.count('save')], [finds, saves])
    t.equal(app.respite.link.state, 'up')
  })

  t.test('neither store has an id, every key has an expiry', async t => {
    const { store } = await fastifyApp(t, {}, options())
    const ids = ['an-id-that-must-not-be-seen', 'another-id-that-must-not-be-seen']
    for (const id of ids) {
      await asked(done => store.set(id, one({ user: 'ada' }), done))
      await until('the copy', async () => {
        await asked(done => store.get(id, done))
        return (await copiesOf(client)).size > 0
      })
    }
    await asked(done => store.destroy(ids[0]!, done))
    const keys = await client.keys('*')
    t.ok(keys.length > 0)
    for (const key of keys) {
      const left = await client.pttl(key)
      t.ok(left > 0 || left === -2, `${key} has an expiry`)
    }
    const dump = JSON.stringify([keys, [...await copiesOf(client)], await durable.peers(1_000), await durable.pending(1_000)])
    for (const id of ids) t.notOk(dump.includes(id))
  })

  t.test('a session that another process has ended is refused here, and a save under way there brings nothing back', async t => {
    const watched = new WatchedStore(durable)
    const here = await fastifyApp(t, {}, options(watched))
    const there = await expressApp(t, {}, options())
    await asked(done => here.store.set('raced', one({ n: 1 }), done))
    t.match(await asked(done => there.store.get('raced', done)), { n: 1 })
    const committed = gate()
    watched.after.set('save', () => committed.pass())
    const saving = asked(done => here.store.set('raced', one({ n: 2 }), done))
    await committed.reached
    await asked(done => there.store.destroy('raced', done))
    committed.open()
    await saving
    for (const { store } of [here, there]) t.equal(await asked(done => store.get('raced', done)), undefined)
    const before = await durable.countPeers()
    for (const { store } of [here, there]) await asked(done => store.set('raced', one({ n: 3 }), done))
    for (const { store } of [here, there]) t.equal(await asked(done => store.get('raced', done)), undefined)
    t.equal(await durable.countPeers(), before)
  })

  t.test('a first save that is under way when its id ends makes nothing after the end', async t => {
    const here = await fastifyApp(t, {}, options())
    const there = await fastifyApp(t, {}, options())
    for (let i = 0; i < 20; i++) {
      const id = `first-${i}`
      await Promise.all([asked(done => here.store.set(id, one(), done)), asked(done => there.store.destroy(id, done))])
      for (const { store } of [here, there]) t.equal(await asked(done => store.get(id, done)), undefined)
    }
  })

  t.test('a cookie made shorter ends the copy in Redis too', async t => {
    const { store } = await fastifyApp(t, {}, options())
    const aged = (originalMaxAge: number) => ({ cookie: { originalMaxAge, expires: null } })
    const before = new Set((await copiesOf(client)).keys())
    await asked(done => store.set('shorter', aged(600_000), done))
    const copy = async () => {
      await asked(done => store.get('shorter', done))
      return [...(await copiesOf(client)).keys()].find(key => !before.has(key))
    }
    await until('the copy', async () => await copy() !== undefined)
    await asked(done => store.set('shorter', aged(60_000), done))
    await until('the copy of the shorter one', async () => {
      const key = await copy()
      return key !== undefined && await client.pttl(key) > 0
    })
    t.ok(await client.pttl((await copy())!) <= 60_000)
  })
})

t.test('when something is down', async t => {
  const { server, options } = await servers(t)
  const watched = new WatchedStore(durable)
  const quick = options(watched)
  const steps: Record<string, Step> = { cart: session => { session.cart = 1 }, read: session => session.cart ?? null }
  const made = { ...quick, session: { ...quick.session, pollEvery: '200ms', trust: '1s', durableDown: '3s' } } as LibraryOptions
  const { store, call } = await fastifyApp(t, steps, made)
  const express = await expressApp(t, steps, { ...made, session: { ...made.session, durable: watched.store } })
  const jars = [new Jar(), new Jar()]
  await call('cart', jars[0])
  await express.call('cart', jars[1])
  t.equal((await call('read', jars[0])).body, 1)

  t.test('Redis frozen: the durable store answers, and destroy holds when it is back', async t => {
    await asked(done => store.set('gone', one(), done))
    server.freeze()
    t.equal((await call('read', jars[0])).body, 1)
    t.equal((await express.call('read', jars[1])).body, 1)
    await asked(done => store.destroy('gone', done))
    server.thaw()
    for (let i = 0; i < 10; i++) t.equal(await asked(done => express.store.get('gone', done)), undefined)
  })

  t.test('the durable store down: changes are refused with its code, and every call answers', async t => {
    watched.failure = new TypeError('the database is gone')
    const down = { code: 'FST_RSP_SESSION_STORE_DOWN', statusCode: 503 }
    await t.rejects(asked(done => store.set('new', one(), done)), down)
    await t.rejects(asked(done => store.destroy('new', done)), down)
    await t.rejects(asked(done => store.length(done)), down)
    await t.rejects(asked(done => store.all(done)), down)
    await t.rejects(asked(done => store.clear(done)), down)
    watched.failure = undefined
  })

  t.test('both down: nobody is taken for a visitor, and nothing hangs', async t => {
    await server.kill()
    watched.failure = new TypeError('the database is gone')
    t.equal((await call('read', jars[0])).status, 503)
    t.equal((await express.call('read', jars[1])).status, 503)
    const down = { code: 'FST_RSP_SESSION_STORE_DOWN', statusCode: 503 }
    await t.rejects(asked(done => store.get('new', done)), down)
    await t.rejects(asked(done => store.touch('new', one(), done)), down)
    watched.failure = undefined
    t.equal((await call('read', jars[0])).body, 1)
  })

  t.test('a durable store that never answers: an error once its time is over', async t => {
    const stuck = gate()
    const stuckStore = new WatchedStore(durable)
    for (const name of ['find', 'login'] as const) stuckStore.after.set(name, () => stuck.pass())
    const late = await fastifyApp(t, {}, { session: { secrets, durable: stuckStore.store, durableDeadline: '300ms' } })
    for (const call of [(done: () => void) => late.store.get('new', done), (done: () => void) => late.store.set('new', one(), done), (done: () => void) => late.store.destroy('new', done)]) {
      await t.rejects(asked(call), { code: 'FST_RSP_SESSION_STORE_TIMEOUT', statusCode: 503 })
    }
    stuck.open()
  })
})
