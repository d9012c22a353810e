import { once } from 'node:events'
import { connect as connectTcp } from 'node:net'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { gate, until } from '@respite/testing'
import type { SessionOptions, SessionStore } from '@respite/session'
import { servicesOf } from '../../src/session-services.ts'
import { ownerOfUser } from '../../src/owner.ts'
import { makeApp } from '../app.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from '../shop.ts'
import type { WatchedStore } from '../watched-store.ts'
import { addFeeds, connect, type Feeds, followersOf, listen, portOf, webSockets } from './feeds.ts'
import { openHouse, type TestHouse } from './house.ts'

// So rarely that only what is told at once can be seen.
const seldom: SessionOptions = { recheckEvery: '1h' }
type WatchedApp = FastifyInstance & { watched: WatchedStore }
const ada = ownerOfUser('ada').owner

async function feeding (house: TestHouse, options: SessionOptions = seldom, feeds: Feeds = {}): Promise<FastifyInstance> {
  return await house.app(options, { first: webSockets, routes: app => addFeeds(app, feeds) })
}

/** Two processes, and a session with connections to both. */
async function connected (t: Test, options?: SessionOptions) {
  const house = await openHouse(t)
  const [here, there] = [await feeding(house, options), await feeding(house, options)]
  const token = await loggedIn(here)
  const sockets = [await connect(here, token), await connect(there, token)]
  return { house, here, there, token, sockets }
}

const ways: Record<string, (app: FastifyInstance, token: string) => Promise<unknown>> = {
  'a log-out': (app, token) => app.inject({ method: 'POST', url: '/logout', headers: bearer(token) }),
  'a revoke': async app => app.sessions.revoke({ id: (await app.sessions.list('ada'))[0]!.id, userId: 'ada' }),
  'an end of all sessions of the user': app => app.sessions.revokeAll('ada'),
  'another log-in': app => loggedIn(app)
}
for (const [way, end] of Object.entries(ways)) {
  t.test(`${way} in one process closes the session's WebSockets and streams in every process, and no other user's`, async t => {
    const { here, there, token, sockets } = await connected(t)
    const stream = await listen(there, token)
    const other = await connect(there, await loggedIn(here, 'bob'))
    await end(here, token)
    for (const { closed } of sockets) t.equal(await closed, '1008 session ended')
    t.equal(await stream.text, 'data: open\n\n')
    t.ok(stream.complete(), 'and not cut off')
    t.ok(other.open)
    t.strictSame([followersOf(here), followersOf(there)], [0, 1])
  })
}

t.test('what ends a session between a request\'s look-up and its connection closes that at once', async t => {
  const house = await openHouse(t)
  const held = gate()
  const [here, there] = [await feeding(house, seldom, { before: () => held.pass() }), await house.app()]
  const connecting = connect(here, await loggedIn(there))
  await held.reached
  await there.sessions.revokeAll('ada')
  held.open()
  t.equal(await (await connecting).closed, '1008 session ended')
})

t.test('a connection whose message was lost closes at the next re-check', async t => {
  const { house, sockets } = await connected(t, { recheckEvery: '300ms' })
  await house.watched.store.revoke({ owner: ada })
  for (const { closed } of sockets) t.equal(await closed, '1008 session ended')
})

t.test('after messages may have been missed all held sessions are asked for, in the durable store', async t => {
  const { house, sockets } = await connected(t)
  await house.watched.store.revoke({ owner: ada })
  // A message of a version that nobody here can read.
  await house.client.publish('respite:v1:bus:{session.ended}', '{"v":99,"d":[]}')
  for (const { closed } of sockets) t.equal(await closed, '1008 session ended')
})

t.test('with Redis gone the durable store is asked every `trust`, and connections of live sessions stay', async t => {
  const { house, here, token, sockets } = await connected(t, { ...seldom, pollEvery: '100ms', trust: '300ms' })
  const other = await connect(here, await loggedIn(here, 'bob'))
  await house.server.kill()
  await until('Redis is known to be gone', () => here.respite.link.state !== 'up')
  const { watched } = here as WatchedApp
  const asked = watched.count('living')
  await until('three more questions', () => watched.count('living') >= asked + 3)
  t.ok(sockets.every(({ open }) => open))
  await house.watched.store.revoke({ owner: ada })
  for (const { closed } of sockets) t.equal(await closed, '1008 session ended')
  t.ok(other.open)
  t.equal(await status(here, token), 401)
})

t.test('with the durable store down connections stay for `durableDown`, then close and may try again', async t => {
  const { here, there, sockets } = await connected(t, { pollEvery: '100ms', trust: '200ms', durableDown: '1s', recheckEvery: '200ms' })
  const [failing, well] = sockets as [typeof sockets[0], typeof sockets[0]]
  const { watched } = here as WatchedApp
  const asked = watched.count('living')
  watched.failure = new TypeError('the database is gone')
  await until('it was asked in vain', () => watched.count('living') >= asked + 2)
  t.ok(failing.open)
  t.equal(await failing.closed, '1013 session unknown')
  t.ok(well.open, 'the other process still reaches it')
  watched.failure = undefined
  t.strictSame([followersOf(here), followersOf(there)], [0, 1])
})

t.test('a connection closes at the idle end: requests move it, also to another process, the connection alone does not', async t => {
  const { here, there, token, sockets } = await connected(t, { ...seldom, idle: '3s', touchEvery: 0 })
  const openedMs = performance.now()
  const renewed: string[] = []
  here.sessions.on('renewed', ({ id }) => { renewed.push(id) })
  await until('the session was prolonged late in its time', async () => performance.now() - openedMs > 1_500 && await status(here, token) === 200 && renewed.length > 0)
  const prolonged = renewed.length
  for (const { closed } of sockets) t.equal(await closed, '1008 session expired')
  t.ok(performance.now() - openedMs > 4_400, 'not at the end that was known when they were opened')
  t.ok(renewed.length <= prolonged + 1)
  t.equal(await status(there, token), 401)
})

t.test('a connection that counts as use keeps its session from idling out', async t => {
  const house = await openHouse(t)
  const app = await feeding(house, { ...seldom, idle: '2s', touchEvery: 0 }, { prolong: true })
  const renewed: string[] = []
  app.sessions.on('renewed', ({ id }) => { renewed.push(id) })
  const token = await loggedIn(app)
  const openedMs = performance.now()
  const { closed, ...client } = await connect(app, token)
  await until('twice the idle time', () => performance.now() - openedMs > 4_000)
  t.equal(client.socket.readyState, 1)
  t.ok(renewed.length >= 2)
  t.equal(await status(app, token), 200)
  await app.sessions.revokeAll('ada')
  t.equal(await closed, '1008 session ended')
})

t.test('a connection closes at the absolute end, whatever it is used for', async t => {
  const house = await openHouse(t)
  const app = await feeding(house, { ...seldom, idle: '2s', absolute: '2s', touchEvery: 0 }, { prolong: true })
  const token = await loggedIn(app)
  const { closed } = await connect(app, token)
  const { watched } = app as WatchedApp
  await until('its end is known', () => watched.count('living') > 0)
  // Nobody needs to be asked: it cannot have been prolonged.
  watched.failure = new TypeError('the database is gone')
  t.equal(await closed, '1008 session expired')
  watched.failure = undefined
  // What the last answer took on its way is no part of the time that was left: the socket closes that much earlier.
  await until('the end by the clock of the database', async () => await status(app, token) === 401)
})

t.test('a session that gets a new secret, and is looked for again and again, keeps its connection', async t => {
  const app = addRoutes(await makeApp({ touchEvery: 0, rotateEvery: '200ms', grace: '100ms', recheckEvery: '100ms' }, { first: webSockets }))
  addFeeds(app)
  t.teardown(() => app.close())
  let cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: {} }))
  const { closed, socket } = await connect(app, '', { cookie })
  for (let rotations = 0; rotations < 3;) {
    const answer = await app.inject({ url: '/me', headers: { cookie } })
    t.equal(answer.statusCode, 200)
    if (answer.headers['set-cookie'] === undefined) continue
    cookie = cookieOf(answer)
    rotations++
  }
  t.equal(socket.readyState, 1)
  await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
  t.equal(await closed, '1008 session ended')
})

t.test('a connection that closes first is forgotten, and so is all when the app closes', async t => {
  const { here, there, token, sockets } = await connected(t)
  const streams = [await listen(here, token), await listen(here, token)]
  t.equal(followersOf(here), 3)
  sockets[0]!.socket.terminate()
  streams[0]!.response.destroy()
  await until('both are forgotten', () => followersOf(here) === 1)
  await there.close()
  t.match(await sockets[1]!.closed, /^1001|^1005/, 'whichever plugin closes it first')
  await here.close()
  t.equal(await streams[1]!.text, 'data: open\n\n')
  t.strictSame([followersOf(here), followersOf(there)], [0, 0])
})

t.test('what a client sends after its session has ended is not heard, and one that does not answer the close is cut off', async t => {
  const house = await openHouse(t)
  const heard: string[] = []
  const app = await feeding(house, seldom, { heard })
  const token = await loggedIn(app)
  const socket = connectTcp(await portOf(app), '127.0.0.1')
  socket.write(`GET /socket HTTP/1.1\r\nhost: a\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${Buffer.alloc(16).toString('base64')}\r\nauthorization: Bearer ${token}\r\n\r\n`)
  let received = Buffer.alloc(0)
  socket.on('data', chunk => { received = Buffer.concat([received, chunk]) })
  await until('the greeting', () => received.includes('open'))
  // A text frame under a mask of zeros.
  const say = (text: string) => socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), Buffer.from(text)]))
  say('before')
  await until('it was heard', () => heard.length === 1)
  await app.sessions.revokeAll('ada')
  await until('the close frame', () => received.includes('session ended'))
  say('after')
  await once(socket, 'close')
  t.strictSame(heard, ['before'])
  t.equal(followersOf(app), 0)
})

t.test('a WebSocket with a session cookie from another origin is refused', async t => {
  const house = await openHouse(t)
  const app = await feeding(house)
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: {} }))
  const host = `127.0.0.1:${await portOf(app)}`
  await t.rejects(connect(app, '', { cookie, origin: 'https://evil.example.org' }), { message: /403/ })
  const { socket } = await connect(app, '', { cookie, origin: `http://${host}` })
  socket.terminate()
})

t.test('a thousand sessions are asked for a few hundred at a time, one question after the other', async t => {
  const house = await openHouse(t)
  let [most, underWay, sessions] = [0, 0, 0]
  const durable = new Proxy(house.watched.store, {
    get (target, name: keyof SessionStore) {
      if (name !== 'living') return target[name]
      return async (sids: readonly string[]) => {
        most = Math.max(most, ++underWay)
        sessions += sids.length
        t.ok(sids.length <= 256)
        return await target.living(sids).finally(() => { underWay-- })
      }
    }
  })
  const app = await house.app({ ...seldom, durable })
  const { ends } = servicesOf.get(app.sessions)!
  const made = await Promise.all(Array.from({ length: 40 }, (_, i) => app.sessions.login(`user-${i}`)))
  const told: string[] = []
  const follow = (sid: string) => ends.follow({ sid, userId: undefined, leftMs: 60_000 }, { listener: why => { told.push(why) }, prolong: false })
  for (const { id } of made) follow(id)
  for (let i = 0; i < 960; i++) follow(`nobody-${i}`)
  await until('all were asked for', () => sessions === 1_000)
  await until('who is not there has ended', () => told.length === 960)
  t.equal(most, 1)
  t.equal(ends.followers, 40)
  t.strictSame(new Set(told), new Set(['ended']))
  for (let i = 0; i < 40; i++) await app.sessions.revokeAll(`user-${i}`)
})

t.test('onEnd tells once, what a listener throws is its own affair, and one that was stopped is told nothing', async t => {
  const house = await openHouse(t)
  const told: string[] = []
  const app = await house.app(seldom, {
    routes: app => {
      app.get('/follow', { config: { session: 'required' } }, async request => {
        app.sessions.onEnd(request, () => { throw new TypeError('a fault of the app') })
        app.sessions.onEnd(request, async () => { throw new TypeError('another') })
        app.sessions.onEnd(request, () => { told.push('stopped') })()
        app.sessions.onEnd(request, why => { told.push(why) })
        return {}
      })
    }
  })
  await app.inject({ url: '/follow', headers: bearer(await loggedIn(app)) })
  t.equal(followersOf(app), 3)
  await app.sessions.revokeAll('ada')
  await app.sessions.revokeAll('ada')
  t.strictSame(told, ['ended'])
  t.equal(followersOf(app), 0)
})

t.test('refuses what cannot be closed and a request whose session is not read; a visitor has no session that could end', async t => {
  const app = addRoutes(await makeApp())
  t.teardown(() => app.close())
  app.get('/nothing', async (request, reply) => { app.sessions.closeWith(request, (request.query as { what: never }).what); return reply.send({}) })
  app.get('/unread', { config: { session: false } }, async request => { app.sessions.onEnd(request, () => undefined) })
  app.get('/visitor', async (request, reply) => { app.sessions.closeWith(request, reply.raw); return { followers: followersOf(app) } })
  t.match((await app.inject('/nothing?what=x')).json(), { code: 'FST_RSP_SESSION_CONNECTION', message: /got 'x'/ })
  t.match((await app.inject('/unread')).json(), { code: 'FST_RSP_SESSION_NOT_READ' })
  t.same((await app.inject('/visitor')).json(), { followers: 0 })
  await t.rejects(makeApp({ recheckEvery: 0 }), { message: /'recheckEvery'.*at least 100 ms.*got 0/ })
})
