import { EventEmitter } from 'node:events'
import t, { type Test } from 'tap'
import { createRequire } from 'node:module'
import Fastify from 'fastify'
import redis from '@respite/redis'
import session from '@respite/session'
import sessionStore, { RespiteStore, type SessionOptions, type StoredSession } from '@respite/session/store'
import { handClock } from '../contracts/session-store.ts'
import { servicesOf } from '../../src/session-services.ts'
import { PeerSessions } from '../../src/peers/peer-sessions.ts'
import { asked } from './apps.ts'

async function storeOf (t: Test, options: SessionOptions = {}) {
  const clock = handClock()
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { embedded: true })
  Object.assign(app.respite, { clock })
  await app.register(sessionStore, options)
  await app.ready()
  const calls = (store: RespiteStore) => ({
    get: (id: string) => asked<StoredSession | undefined>(done => store.get(id, done)),
    set: (id: string, value: object) => asked(done => store.set(id, value as StoredSession, done)),
    touch: (id: string, value: object) => asked(done => store.touch(id, value as StoredSession, done)),
    destroy: (id: string) => asked(done => store.destroy(id, done)),
    all: () => asked<StoredSession[]>(done => store.all(done)),
    length: () => asked<number>(done => store.length(done)),
    clear: () => asked(done => store.clear(done))
  })
  const store = new RespiteStore(app)
  // Another one on the same sessions is as another process: it has seen none of them.
  return { app, store, clock, ...calls(store), other: calls(new RespiteStore(app)) }
}

const cookie = (originalMaxAge: number | null = null, expires: Date | null = null) => ({ originalMaxAge, expires })

t.test('gives back what was set, as a whole', async t => {
  const { get, set } = await storeOf(t)
  t.equal(await get('one'), undefined)
  await set('one', { cookie: cookie(), user: 'ada', cart: ['tea'], __proto__x: 1 })
  t.same(await get('one'), { cookie: { originalMaxAge: null, expires: null }, user: 'ada', cart: ['tea'], __proto__x: 1 })
  await set('one', { cookie: cookie(), user: 'bob' })
  t.same(await get('one'), { cookie: { originalMaxAge: null, expires: null }, user: 'bob' })
})

t.test('an id that has ended is not made again: here, elsewhere, nor if it never was made', async t => {
  const { get, set, destroy, other, app } = await storeOf(t)
  const lost: string[] = []
  app.sessions.on('lost', ({ id }) => lost.push(id))
  await set('one', { cookie: cookie() })
  await destroy('one')
  await destroy('one')
  await set('one', { cookie: cookie() })
  await other.set('one', { cookie: cookie() })
  t.equal(await get('one'), undefined)
  await destroy('two')
  await other.set('two', { cookie: cookie() })
  t.equal(await get('two'), undefined)
  t.equal(lost.length, 3)
  t.notOk(lost.some(id => id.includes('one') || id.includes('two')))
})

t.test('a session that has run out is not made again: by nobody while its row is there, later not by the process that read it', async t => {
  const { app, get, set, other, clock } = await storeOf(t)
  await set('one', { cookie: cookie(1_000) })
  clock.pass(1_001)
  t.equal(await get('one'), undefined)
  await other.set('one', { cookie: cookie(1_000) })
  t.equal(await get('one'), undefined)
  t.equal((await servicesOf.get(app.sessions)!.store.purge(10)).length, 1)
  await set('one', { cookie: cookie(1_000) })
  t.equal(await get('one'), undefined)
})

t.test('an id may be asked for before it is made', async t => {
  const { get, set, other } = await storeOf(t)
  t.equal(await get('one'), undefined)
  await other.set('one', { cookie: cookie(), user: 'ada' })
  t.match(await get('one'), { user: 'ada' })
  await set('one', { cookie: cookie(), user: 'bob' })
  t.match(await other.get('one'), { user: 'bob' })
})

t.test('two first saves at once make one session', async t => {
  const { set, other, get, length } = await storeOf(t)
  await Promise.all([set('one', { cookie: cookie(), n: 1 }), other.set('one', { cookie: cookie(), n: 2 })])
  t.equal(await length(), 1)
  t.ok([1, 2].includes((await get('one') as unknown as { n: number }).n))
})

t.test('ends with the cookie\'s age, its date, or `idle`; `absolute` at the latest', async t => {
  const { get, set, clock } = await storeOf(t, { idle: '10s', touchEvery: 0, absolute: '1m' })
  await set('age', { cookie: cookie(20_000) })
  await set('date', { cookie: cookie(null, new Date(clock.wallMs() + 15_000)) })
  await set('idle', { cookie: cookie() })
  await set('long', { cookie: cookie(3_600_000) })
  const alive = async () => (await Promise.all(['age', 'date', 'idle', 'long'].map(async id => await get(id) === undefined ? [] : [id]))).flat()
  clock.pass(9_999)
  t.same(await alive(), ['age', 'date', 'idle', 'long'])
  clock.pass(1)
  t.same(await alive(), ['age', 'date', 'long'])
  clock.pass(5_000)
  t.same(await alive(), ['age', 'long'])
  clock.pass(5_000)
  t.same(await alive(), ['long'])
  clock.pass(40_000)
  t.same(await alive(), [])
})

t.test('a date of the cookie that has passed ends the session', async t => {
  const { get, set, clock } = await storeOf(t)
  await set('one', { cookie: cookie() })
  await set('one', { cookie: cookie(null, new Date(clock.wallMs() - 1)) })
  t.equal(await get('one'), undefined)
})

t.test('touch and an unchanged save prolong by the cookie\'s age; the date it gives is the time left', async t => {
  const { app, get, set, touch, clock } = await storeOf(t)
  const settled = () => servicesOf.get(app.sessions)!.keeper.settled()
  await set('one', { cookie: cookie(10_000) })
  for (const prolong of [touch, set]) {
    for (let i = 0; i < 3; i++) {
      clock.pass(6_000)
      await prolong('one', { cookie: cookie(10_000) })
      await settled()
    }
  }
  clock.pass(4_000)
  const { expires } = (await get('one'))!.cookie
  t.equal(new Date(expires!).getTime() - clock.wallMs(), 6_000)
  clock.pass(6_000)
  t.equal(await get('one'), undefined)
})

t.test('a cookie that is made shorter ends the session sooner', async t => {
  const { get, set, clock } = await storeOf(t)
  await set('one', { cookie: cookie(60_000) })
  await set('one', { cookie: cookie(5_000) })
  clock.pass(5_001)
  t.equal(await get('one'), undefined)
})

t.test('length, all and clear mean the sessions of such stores; those of reply.login stay', async t => {
  const { app, set, destroy, all, length, clear, get } = await storeOf(t)
  const { id } = await app.sessions.login('ada')
  for (let i = 0; i < 230; i++) await set(`id-${i}`, { cookie: cookie(), i })
  await destroy('id-0')
  t.equal(await length(), 229)
  const listed = await all() as unknown as { i: number }[]
  t.same(listed.map(one => one.i).sort((a, b) => a - b), Array.from({ length: 229 }, (_, i) => i + 1))
  await clear()
  t.same([await length(), await all(), await get('id-1')], [0, [], undefined])
  await set('id-1', { cookie: cookie() })
  t.equal(await get('id-1'), undefined, 'what was cleared has ended')
  t.same((await app.sessions.list('ada')).map(info => info.id), [id])
})

t.test('all gives a thousand at most', async t => {
  const { set, all, length } = await storeOf(t)
  for (let i = 0; i < 1_005; i++) await set(`id-${i}`, { cookie: cookie() })
  t.same([(await all())!.length, await length()], [1_000, 1_005])
})

t.test('refuses what it cannot keep, by its code', async t => {
  const { get, set, touch, destroy } = await storeOf(t, { maxDataBytes: 256 })
  const circle: Record<string, unknown> = { cookie: cookie() }
  circle.self = circle
  await t.rejects(set('one', circle), { code: 'FST_RSP_SESSION_NOT_SERIALISABLE' })
  await t.rejects(set('one', { cookie: cookie(), text: 'x'.repeat(300) }), { code: 'FST_RSP_SESSION_TOO_LARGE' })
  await set('one', { cookie: cookie() })
  await t.rejects(set('one', { cookie: cookie(), text: 'x'.repeat(300) }), { code: 'FST_RSP_SESSION_TOO_LARGE' })
  for (const id of ['', undefined as unknown as string, {} as string]) {
    await t.rejects(set(id, { cookie: cookie() }), { code: 'FST_RSP_SESSION_STORE_ID' })
    t.equal(await get(id), undefined)
    await touch(id, { cookie: cookie() })
    await destroy(id)
  }
})

t.test('a secret put in front keeps the sessions of the one behind it, and a destroyed one ended under both', async t => {
  const [old, young] = ['an old secret of more than 32 characters', 'a new secret of more than 32 characters']
  const { app } = await storeOf(t, { secrets: [old] })
  const services = servicesOf.get(app.sessions)!
  const before = new PeerSessions(services)
  const after = new PeerSessions({ ...services, secrets: [young, old] })
  const written = (n: number) => ({ fields: new Map([['data', JSON.stringify({ n })], ['cookie', '{}']]), idleMs: 60_000 })
  await before.save('one', written(1))
  await after.save('one', written(2))
  t.equal(await services.store.countPeers(), 1, 'saved where it is')
  t.ok((await before.find('one'))!.flat.includes('{"n":2}'))
  await after.end('one')
  for (const sessions of [before, after, new PeerSessions(services), new PeerSessions({ ...services, secrets: [young, old] })]) {
    await sessions.save('one', written(3))
    t.equal(await sessions.find('one'), undefined)
  }
})

t.test('callbacks may be left out, and are never called before the call has returned', async t => {
  const { store } = await storeOf(t)
  store.set('one', { cookie: {} })
  store.touch('one', { cookie: {} })
  store.destroy('one')
  store.clear()
  store.set('', { cookie: {} })
  let returned = false
  const called = new Promise<boolean>(resolve => { store.get('one', () => resolve(returned)) })
  returned = true
  t.ok(await called)
  t.type(store, EventEmitter)
})

t.test('is made of an app with @respite/session too, and of no other', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { embedded: true })
  t.throws(() => new RespiteStore(app), { code: 'FST_RSP_SESSION_STORE_APP' })
  await app.register(session)
  t.ok(new RespiteStore(app))
})

t.test('express-session is told at boot to give itself', async t => {
  const { store } = await storeOf(t)
  const expressSession = createRequire(import.meta.url)('express-session')
  t.throws(() => expressSession({ store, secret: 'x', resave: false, saveUninitialized: false }), { code: 'FST_RSP_SESSION_STORE_EXPRESS' })
})
