import type { FastifyInstance } from 'fastify'
import { gate, until } from '@respite/testing'
import type { SessionOptions, SessionStore } from '@respite/session'
import { RespiteStore, type StoredSession } from '@respite/session/store'
import t from 'tap'
import { Tokens } from '../../src/token.ts'
import { makeApp } from '../app.ts'
import { asked } from '../peers/apps.ts'
import { addRoutes, bearer, cookieOf, loggedIn, slowApp, status } from '../shop.ts'
import { WatchedStore } from '../watched-store.ts'
import { secrets } from '../grounds.ts'
import { copiesOf, openHouse, type TestHouse } from './house.ts'

/** What is saved reaches the row by what the test does alone. */
const behind: SessionOptions = { data: 'behind', flushEvery: '1h', touchEvery: '20m', durableDeadline: '10s', pollEvery: '100ms', trust: '1s', durableDown: '1m' }
const redisOnly: SessionOptions = { ...behind, data: 'redis' }
const soon: SessionOptions = { ...behind, flushEvery: '50ms' }

const hashOfToken = (token: string) => new Tokens(secrets, credential => credential).verify(token)!.hash

async function rowOf (house: TestHouse, token: string): Promise<Record<string, unknown>> {
  const found = await house.watched.store.find(hashOfToken(token))
  if (!('sid' in found)) return { gone: true }
  return Object.fromEntries([...found.fields].map(([name, json]) => [name, JSON.parse(json)]))
}

async function set (app: FastifyInstance, token: string, name: string, value: unknown): Promise<number> {
  return (await app.inject({ method: 'POST', url: `/field/${name}`, payload: { value }, headers: bearer(token) })).statusCode
}

async function fieldsOf (app: FastifyInstance, token: string): Promise<Record<string, unknown>> {
  return (await app.inject({ url: '/fields', headers: bearer(token) })).json()
}

const value = (value: unknown) => ({ value })

/** Logs in, and sees to it that the copy is there. */
async function inRedis (house: TestHouse, app: FastifyInstance, data = {}): Promise<string> {
  const token = await loggedIn(app, 'ada', data)
  await until('the copy', async () => await status(app, token) === 200 && [...(await copiesOf(house.client)).values()].some(copy => copy.x === undefined))
  return token
}

/** Calls of this instance to Redis fail, or are held, by the name of their script. */
function disturb (app: FastifyInstance, before: (script: string) => Promise<void>): () => void {
  const { link } = app.respite
  const run = link.run.bind(link)
  const disturbed = async (...args: Parameters<typeof run>) => {
    await before((args[0] as { name: string }).name)
    return await run(...args)
  }
  Object.assign(link, { run: disturbed })
  return () => { Object.assign(link, { run }) }
}

t.test('a save is in Redis at once and writes no row; the row has it after flushEvery', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(soon), await house.app(behind)]
  const token = await inRedis(house, there)
  t.equal(await set(there, token, 'a', 1), 200)
  t.same(await fieldsOf(there, token), { a: value(1) })
  t.equal(there.watched.count('save') + there.watched.count('flush'), 0)
  t.same(await rowOf(house, token), {})
  t.equal(await set(here, token, 'b', 2), 200)
  await until('the flush', async () => (await rowOf(house, token)).b !== undefined)
  t.same(await rowOf(house, token), { a: value(1), b: value(2) }, 'of what another instance has saved too')
  await until('the marks to go', async () => [...(await copiesOf(house.client)).values()].every(copy => copy.w === undefined && copy['d:a'] === undefined))
  t.equal(here.watched.count('save'), 0)
  await there.inject({ method: 'DELETE', url: '/cart', headers: bearer(token) })
  t.equal((await here.inject({ method: 'POST', url: '/cart', payload: ['tea'], headers: bearer(token) })).statusCode, 200)
  await here.inject({ method: 'DELETE', url: '/cart', headers: bearer(token) })
  await until('the marks to go', async () => [...(await copiesOf(house.client)).values()].every(copy => copy.w === undefined))
  t.same(await rowOf(house, token), { a: value(1), b: value(2) })
})

t.test('a touch brings the row what Redis has, and so does the end of the process', async t => {
  const house = await openHouse(t)
  const app = await house.app({ ...behind, touchEvery: 0 })
  const token = await inRedis(house, app)
  await set(app, token, 'a', 1)
  await until('the touch', async () => await status(app, token) === 200 && (await rowOf(house, token)).a !== undefined)
  const leaving = await house.app(behind)
  await set(leaving, token, 'b', 2)
  t.same(await rowOf(house, token), { a: value(1) })
  await leaving.close()
  t.same(await rowOf(house, token), { a: value(1), b: value(2) })
})

t.test('what a process that is gone has not flushed, the next one that meets the session does', async t => {
  const house = await openHouse(t)
  const gone = await house.app(behind)
  const token = await inRedis(house, gone)
  await set(gone, token, 'a', 1)
  const other = await house.app(soon)
  t.same(await fieldsOf(other, token), { a: value(1) })
  await until('the flush', async () => (await rowOf(house, token)).a !== undefined)
  t.equal(gone.watched.count('flush'), 0)
})

t.test('a Redis that is wiped loses what was not flushed, and no login', async t => {
  const house = await openHouse(t)
  const app = await house.app(behind)
  const token = await inRedis(house, app, { theme: 'dark' })
  await set(app, token, 'a', 1)
  await house.client.flushall()
  t.same(await fieldsOf(app, token), { theme: 'dark' })
  await until('the copy', async () => (await copiesOf(house.client)).size > 0)
  await set(app, token, 'b', 2)
  t.same(await fieldsOf(app, token), { theme: 'dark', b: value(2) })
})

t.test('a Redis whose copies are no longer believed, as after a restart, gives back what it alone has', async t => {
  for (const options of [behind, redisOnly]) {
    const house = await openHouse(t)
    const app = await house.app(options)
    const token = await inRedis(house, app)
    await set(app, token, 'a', 1)
    for (const key of await house.client.keys('respite:v1:session:*:u')) await house.client.hset(key, 'e', 'another')
    t.same(await fieldsOf(app, token), { a: value(1) }, `${options.data}`)
    t.same(await fieldsOf(app, token), { a: value(1) }, `${options.data}`)
  }
})

t.test("data 'redis': the row keeps the data of the login, and a wiped Redis loses the rest", async t => {
  const house = await openHouse(t)
  const app = await house.app({ ...redisOnly, flushEvery: '50ms', touchEvery: 0 })
  const renewed: string[] = []
  app.sessions.on('renewed', ({ id }) => { renewed.push(id) })
  const token = await inRedis(house, app, { theme: 'dark' })
  await set(app, token, 'a', 1)
  const touches = renewed.length
  await until('a touch', async () => await status(app, token) === 200 && renewed.length > touches + 1)
  t.same(await fieldsOf(app, token), { theme: 'dark', a: value(1) })
  t.same(await rowOf(house, token), { theme: 'dark' })
  t.equal(app.watched.count('flush') + app.watched.count('save'), 0)
  await house.client.flushall()
  t.same(await fieldsOf(app, token), { theme: 'dark' })
})

t.test('T5: fields that parallel requests set in two instances are all there, in Redis and after the flush', async t => {
  const house = await openHouse(t)
  const apps = [await house.app(soon), await house.app(soon)]
  const token = await inRedis(house, apps[0]!)
  const codes = await Promise.all(Array.from({ length: 60 }, (_, i) => set(apps[i % 2]!, token, `f${i}`, i)))
  t.same(new Set(codes), new Set([200]))
  for (const app of apps) t.equal(Object.keys(await fieldsOf(app, token)).length, 60)
  await until('the flush', async () => Object.keys(await rowOf(house, token)).length === 60)
  t.same(await rowOf(house, token), await fieldsOf(apps[0]!, token))
})

t.test('a save that comes while the row is written keeps its mark, and reaches the row by the next flush', async t => {
  const house = await openHouse(t)
  const app = await house.app(soon)
  const token = await inRedis(house, app)
  const committed = gate()
  app.watched.after.set('flush', () => committed.pass())
  await set(app, token, 'a', 1)
  await committed.reached
  const other = await house.app(soon)
  await set(other, token, 'a', 2)
  app.watched.after.delete('flush')
  committed.open()
  await until('the flush', async () => (await rowOf(house, token)).a !== undefined && JSON.stringify((await rowOf(house, token)).a) === JSON.stringify(value(2)))
  await until('the marks to go', async () => [...(await copiesOf(house.client)).values()].every(copy => copy.w === undefined))
  t.same(await fieldsOf(app, token), { a: value(2) })
  t.same(await rowOf(house, token), { a: value(2) })
})

t.test('T2: a save that reaches Redis after the log-out brings nothing back, in either store', async t => {
  for (const options of [behind, redisOnly]) {
    const house = await openHouse(t)
    const [here, there] = [await house.app(options), await house.app(options)]
    const lost: string[] = []
    here.sessions.on('lost', ({ id }) => { lost.push(id) })
    const token = await inRedis(house, here)
    const sending = gate()
    const restore = disturb(here, async script => { if (script === 'session.keep') await sending.pass() })
    const saving = set(here, token, 'a', 1)
    await sending.reached
    await there.sessions.revokeAll('ada')
    sending.open()
    await saving
    restore()
    for (const app of [here, there]) t.equal(await status(app, token), 401)
    t.same([...(await copiesOf(house.client)).values()].filter(copy => copy.x === undefined), [])
    t.same(await rowOf(house, token), { gone: true })
    t.equal(lost.length, 1)
  }
})

t.test('T2: a flush that was under way when the session ended brings nothing back', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(soon), await house.app(behind)]
  const token = await inRedis(house, here)
  const [reading, told] = [gate(), gate()]
  const restore = disturb(here, async script => {
    if (script === 'session.unsaved') await reading.pass()
    if (script === 'session.settle') await told.pass()
  })
  await set(here, token, 'a', 1)
  await reading.reached
  reading.open()
  await told.reached
  await there.sessions.revokeAll('ada')
  told.open()
  await here.close()
  restore()
  t.equal(await status(there, token), 401)
  t.same([...(await copiesOf(house.client)).values()].filter(copy => copy.x === undefined), [])
})

/** What it touches is old enough for another secret. */
function aged (store: SessionStore): SessionStore {
  return new Proxy(store, {
    get (target, name: keyof SessionStore) {
      const method = target[name] as unknown
      if (typeof method !== 'function') return method
      if (name !== 'touch') return method.bind(target)
      return async (...args: Parameters<SessionStore['touch']>) => {
        const touched = await target.touch(...args)
        return touched && { ...touched, issuedAgeMs: 7_200_000 }
      }
    }
  })
}

t.test('what is saved while an id rotates is its successor\'s, and requests with the old one see it', async t => {
  for (const mode of ['behind', 'redis'] as const) {
    const house = await openHouse(t)
    const options: SessionOptions = { ...behind, data: mode, touchEvery: 0, rotateEvery: '1h', grace: '30s', durable: aged(house.watched.store) }
    const [here, there] = [await house.app(options), await house.app({ ...behind, data: mode })]
    let cookie = cookieOf(await here.inject({ method: 'POST', url: '/login/ada', payload: {} }))
    // As a bearer's nothing of it rotates.
    const headers = () => bearer(cookie.split('=')[1]!)
    const get = async (app: FastifyInstance) => (await app.inject({ url: '/fields', headers: headers() })).json()
    const post = (app: FastifyInstance, name: string) => app.inject({ method: 'POST', url: `/field/${name}`, payload: value(name), headers: headers() })
    await get(here)
    await until('it is marked', async () => [...(await copiesOf(house.client)).values()].some(copy => copy.r === '1'))
    t.equal((await post(there, 'before')).statusCode, 200)
    const committed = gate()
    house.watched.after.set('rotate', () => committed.pass())
    const rotating = here.inject({ url: '/me', headers: { cookie } })
    await committed.reached
    // Redis has the old copy still.
    t.equal((await post(there, 'meanwhile')).statusCode, 200)
    committed.open()
    const answer = await rotating
    t.ok(answer.headers['set-cookie'], `${mode}: it has rotated`)
    const all = { before: value('before'), meanwhile: value('meanwhile') }
    t.same(await get(there), all, `${mode}, by the old id`)
    const old = cookie
    cookie = cookieOf(answer)
    t.same(await get(there), all, `${mode}, by the new id`)
    t.equal((await post(there, 'later')).statusCode, 200)
    cookie = old
    t.same(await get(there), { ...all, later: value('later') }, `${mode}, by the old id, of what came after`)
  }
})

t.test('with Redis down the row is written through, and what Redis had before is merged when it is back, but never over a newer value', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(behind), await house.app(behind)]
  const token = await inRedis(house, here)
  await set(here, token, 'a', 'older')
  await set(here, token, 'b', 1)
  const restore = disturb(here, async () => { throw new TypeError('Redis is out of reach') })
  t.equal(await set(here, token, 'a', 'newer'), 200)
  t.same(await rowOf(house, token), { a: value('newer') })
  restore()
  await until('it is healed', async () => (await house.watched.store.pending(10)).length === 0)
  for (const app of [here, there]) t.same(await fieldsOf(app, token), { a: value('newer'), b: value(1) })
  t.same(await rowOf(house, token), { a: value('newer'), b: value(1) })
})

t.test('a save without a copy in Redis goes to the row, and one whose answer was lost is saved once', async t => {
  const house = await openHouse(t)
  const app = await house.app(behind)
  const token = await inRedis(house, app)
  const slow = await slowApp(house, behind)
  const saving = slow.inject({ method: 'POST', url: '/slow/a', payload: value(1), headers: bearer(token) })
  await slow.handler.reached
  for (const key of (await copiesOf(house.client)).keys()) await house.client.del(key)
  slow.handler.open()
  t.equal((await saving).statusCode, 200)
  t.same(await rowOf(house, token), { a: value(1) })
  // Redis has done it, and nobody was told.
  await until('the copy', async () => await status(app, token) === 200 && (await copiesOf(house.client)).size > 0)
  const { link } = app.respite
  const run = link.run.bind(link)
  Object.assign(link, {
    run: async (...args: Parameters<typeof run>) => {
      const reply = await run(...args)
      if ((args[0] as { name: string }).name === 'session.keep') throw new TypeError('lost')
      return reply
    }
  })
  t.equal(await set(app, token, 'b', 2), 200)
  Object.assign(link, { run })
  t.same(await rowOf(house, token), { a: value(1), b: value(2) })
  t.same(await fieldsOf(app, token), { a: value(1), b: value(2) })
})

t.test('a save that its process has given up, and that reaches Redis late, undoes nothing that came after it', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(behind), await house.app(behind)]
  const token = await inRedis(house, here)
  const { link } = here.respite
  const run = link.run.bind(link)
  let late: (() => Promise<unknown>) | undefined
  Object.assign(link, {
    run: async (...args: Parameters<typeof run>) => {
      if ((args[0] as { name: string }).name !== 'session.keep') return await run(...args)
      late = () => run(...args)
      throw new TypeError('the deadline has passed')
    }
  })
  t.equal(await set(here, token, 'a', 'given up'), 200)
  t.same(await rowOf(house, token), { a: value('given up') }, 'the row has it')
  await until('the copy', async () => await status(there, token) === 200 && (await copiesOf(house.client)).size > 0)
  t.equal(await set(there, token, 'a', 'newer'), 200)
  t.equal(there.watched.count('save'), 0, 'Redis alone has it')
  t.same(await late!(), [0])
  t.same(await fieldsOf(there, token), { a: value('newer') })
})

t.test('of two processes that flush one session at once, neither undoes what the other has written', async t => {
  const house = await openHouse(t)
  const [slow, quick] = [await house.app(soon), await house.app(soon)]
  const token = await inRedis(house, slow)
  const reading = gate()
  // It has read the marks, and is held before the row.
  const { link } = slow.respite
  const run = link.run.bind(link)
  Object.assign(link, {
    run: async (...args: Parameters<typeof run>) => {
      const reply = await run(...args)
      if ((args[0] as { name: string }).name === 'session.unsaved' && (reply as unknown[]).length > 0) await reading.pass()
      return reply
    }
  })
  await set(slow, token, 'a', 1)
  await reading.reached
  await set(quick, token, 'a', 2)
  await until('the flush', async () => JSON.stringify((await rowOf(house, token)).a) === JSON.stringify(value(2)))
  reading.open()
  await slow.close()
  t.equal(slow.watched.count('flush'), 1)
  t.same(await rowOf(house, token), { a: value(2) })
  t.same(await fieldsOf(quick, token), { a: value(2) })
})

t.test('with the durable store down saves go on into Redis, and reach the row when it is back', async t => {
  const house = await openHouse(t)
  const app = await house.app(soon)
  const token = await inRedis(house, app)
  app.watched.failure = new TypeError('the database is gone')
  t.equal(await set(app, token, 'a', 1), 200)
  await until('a flush that failed', () => app.watched.count('flush') > 1)
  app.watched.failure = undefined
  await until('the flush', async () => (await rowOf(house, token)).a !== undefined)
})

t.test('flushes that worked and failed are counted, with what waits and for how long', async t => {
  const house = await openHouse(t)
  const app = await house.app({ ...behind, touchEvery: 0 })
  const metric = async (name: string) => {
    const all = await app.respite.metrics.read()
    return Object.fromEntries([...all.find(one => one.name.endsWith(name))!.entries()].map(([labels, n]) => [labels.join(), (n as { value: number }).value]))
  }
  const token = await inRedis(house, app)
  t.same(await metric('session_flush_waiting'), { '': 0 })
  await set(app, token, 'a', 1)
  t.same(await metric('session_flush_waiting'), { '': 1 })
  const before = (await metric('session_flush_oldest_seconds'))['']!
  await until('it to grow older', async () => (await metric('session_flush_oldest_seconds'))['']! > before)
  const flushing = app.watched.after
  flushing.set('flush', async () => { throw new TypeError('the database is gone') })
  await until('a flush that failed', async () => await status(app, token) === 200 && (await metric('session_flushes_total')).failed! > 0)
  flushing.delete('flush')
  await until('a flush', async () => await status(app, token) === 200 && (await metric('session_flushes_total')).flushed! > 0)
  await until('none to wait', async () => await status(app, token) === 200 && (await metric('session_flush_waiting'))[''] === 0)
})

// Seen: during a roll-out of `data: 'through'` it dropped the copy, and with it what the instances before had saved since the last flush.
t.test("an instance of mode 'through' brings to the row what one of another mode has left in a copy, before it saves itself", async t => {
  const house = await openHouse(t)
  const [before, after] = [await house.app(behind), await house.app({ ...behind, data: 'through', conflict: 'last-wins' })]
  const token = await inRedis(house, before)
  await set(before, token, 'a', 'older')
  await set(before, token, 'b', 1)
  t.same(await rowOf(house, token), {})
  const flushed = gate()
  after.watched.after.set('flush', () => flushed.pass())
  const saving = set(after, token, 'a', 'newer')
  await flushed.reached
  t.equal(after.watched.count('save'), 0)
  flushed.open()
  t.equal(await saving, 200)
  for (const app of [after, before]) t.same(await fieldsOf(app, token), { a: value('newer'), b: value(1) })
  t.same(await rowOf(house, token), { a: value('newer'), b: value(1) })
})

t.test('a fresh route, which asks the durable store, sees what Redis alone has', async t => {
  const house = await openHouse(t)
  const app = await house.app(behind, { routes: app => app.get('/fresh-fields', { config: { session: { fresh: '5m' } } }, async request => ({ a: request.session.get('a') })) })
  const token = await inRedis(house, app)
  await set(app, token, 'a', 1)
  t.same((await app.inject({ url: '/fresh-fields', headers: bearer(token) })).json(), { a: value(1) })
})

t.test("the last save replaces all with conflict 'last-wins', in Redis and in the row", async t => {
  const house = await openHouse(t)
  const app = await house.app({ ...soon, conflict: 'last-wins' })
  const token = await inRedis(house, app, { theme: 'dark', x: 1 })
  const handler = gate()
  const other = await house.app({ ...soon, conflict: 'last-wins' }, {
    routes: app => app.post('/replace', async request => {
      await handler.pass()
      request.session.delete('x')
      return {}
    })
  })
  const replacing = other.inject({ method: 'POST', url: '/replace', headers: bearer(token) })
  await handler.reached
  t.equal(await set(app, token, 'y', 2), 200)
  handler.open()
  await replacing
  t.same(await fieldsOf(app, token), { theme: 'dark' })
  await until('the marks to go', async () => [...(await copiesOf(house.client)).values()].every(copy => copy.w === undefined))
  t.same(await rowOf(house, token), { theme: 'dark' })
})

t.test('parallel saves that exceed the bound together are refused, and the session stays as it was', async t => {
  const house = await openHouse(t)
  const handler = gate()
  const app = await house.app({ ...behind, maxDataBytes: 256 }, {
    routes: app => app.post('/late', async request => {
      await handler.pass()
      request.session.set('b', 'x'.repeat(150))
      return {}
    })
  })
  const token = await inRedis(house, app)
  const late = app.inject({ method: 'POST', url: '/late', headers: bearer(token) })
  await handler.reached
  t.equal(await set(app, token, 'a', 'x'.repeat(150)), 200)
  handler.open()
  t.match((await late).json(), { statusCode: 500, code: 'FST_RSP_SESSION_TOO_LARGE' })
  t.same(Object.keys(await fieldsOf(app, token)), ['a'])
})

t.test('sessions of other libraries are saved the same way; one whose end comes nearer keeps what Redis alone has', async t => {
  const house = await openHouse(t)
  const app = await house.app(behind)
  const store = new RespiteStore(app)
  const set = (more: object, originalMaxAge: number) => asked(done => store.set('one', { cookie: { originalMaxAge, expires: new Date(Date.now() + originalMaxAge) }, ...more } as StoredSession, done))
  const get = () => asked<StoredSession & { a?: number, b?: number }>(done => store.get('one', done))
  await set({ a: 1 }, 1_200_000)
  t.equal((await get())?.a, 1)
  await until('the copy', async () => (await copiesOf(house.client)).size > 0)
  await set({ a: 2 }, 1_200_000)
  t.equal(app.watched.count('save'), 0)
  t.equal((await get())?.a, 2)
  await set({ a: 2, b: 3 }, 300_000)
  t.match(await get(), { a: 2, b: 3 })
  await asked(done => store.destroy('one', done))
  t.equal(await get(), undefined)
})

t.test('no key is ever without expiry', async t => {
  const house = await openHouse(t)
  const app = await house.app(soon)
  const token = await inRedis(house, app)
  for (let i = 0; i < 5; i++) {
    await set(app, token, 'a', i)
    for (const key of await house.client.keys('respite:v1:session:*')) t.not(await house.client.pttl(key), -1)
  }
  await until('the flush', async () => (await rowOf(house, token)).a !== undefined)
  for (const key of await house.client.keys('respite:v1:session:*')) t.not(await house.client.pttl(key), -1)
})

t.test('without Redis every mode saves into the store, and a comparison with the row is refused at boot', async t => {
  const house = await openHouse(t)
  const watched = new WatchedStore(house.watched.store)
  const app = addRoutes(await makeApp({ data: 'behind', secrets, durable: watched.store }))
  t.teardown(() => app.close())
  const token = await loggedIn(app)
  await set(app, token, 'a', 1)
  t.same(await rowOf(house, token), { a: value(1) })
  await t.rejects(makeApp({ data: 'redis', conflict: 'compare-and-set' }), { code: 'FST_RSP_SESSION_OPTIONS', message: /data 'redis'.*conflict 'compare-and-set'/ })
  await t.rejects(makeApp({ data: 'later' as 'behind' }), { message: /data.*later/ })
  await t.rejects(makeApp({ flushEvery: '1ms' }), { message: /flushEvery/ })
})
