import type { FastifyInstance } from 'fastify'
import { until } from '@respite/testing'
import type { SessionOptions } from '@respite/session'
import t, { type Test } from 'tap'
import { ownerOfUser } from '../../src/owner.ts'
import { bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { deafened, holdAnswer, kept, listened, localOf, openLocal } from './local-house.ts'

interface Asked { readonly watched: { count (method: 'find'): number } }

/** A server, and an instance that keeps a session. */
async function openKept (t: Test, options: SessionOptions = {}) {
  const house = await openLocal(t, options)
  const app = await house.app()
  const token = await loggedIn(app, 'ada', { cart: ['tea'] })
  await kept(app, token)
  return { house, app, token }
}

/** A server, and two instances of which these keep a session that the second has made. */
async function openTwo (t: Test, { keeps, ...options }: SessionOptions & { keeps: readonly ('here' | 'there')[] }) {
  const house = await openLocal(t, options)
  const apps = { here: await house.app(), there: await house.app() }
  const token = await loggedIn(apps.there)
  for (const name of keeps) await kept(apps[name], token)
  return { house, ...apps, token }
}

/** How often the durable store was asked for a session meanwhile. */
async function finds (app: Asked, work: () => Promise<unknown>): Promise<number> {
  const before = app.watched.count('find')
  await work()
  return app.watched.count('find') - before
}

async function metric (app: FastifyInstance, name: string, ...labels: string[]): Promise<number> {
  const found = (await app.respite.metrics.read()).find(each => each.name === name)!
  return ([...found.entries()].find(([of]) => of.join() === labels.join())![1] as { value: number }).value
}

t.test('a read-only request of a session that is kept is no Redis command, and asks the store nothing', async t => {
  const { house, app, token } = await openKept(t)
  const scripts = await house.scripts()
  t.equal(await finds(app, async () => {
    for (let i = 0; i < 50; i++) t.same((await app.inject({ url: '/open', headers: bearer(token) })).json(), { user: 'ada', cart: ['tea'] })
  }), 0)
  t.equal(await house.scripts() - scripts, 0)
  t.ok(await metric(app, 'session_events_total', 'local') >= 50)
  t.equal(await metric(app, 'session_local_copies'), 1)
  t.ok(await metric(app, 'session_local_bytes') > 0)
})

t.test('copies whose time is over are read again by one command for all requests of a turn, and kept', async t => {
  const house = await openLocal(t, { perUser: { max: 8, onExceed: 'evict-oldest' } })
  const app = await house.app()
  const tokens: string[] = []
  for (let i = 0; i < 8; i++) tokens.push(await loggedIn(app))
  const statuses = async () => await Promise.all(tokens.map(token => status(app, token)))
  await until('the copies in the process', async () => (await statuses()).every(code => code === 200) && localOf(app).size === 8)
  const scripts = await house.scripts()
  // As `maxAge` does.
  localOf(app).all()
  for (let i = 0; i < 3; i++) t.same(await statuses(), Array(8).fill(200))
  t.equal(await house.scripts() - scripts, 1)
  t.equal(localOf(app).size, 8)
})

t.test('a revoke reaches the copies of another process by the word of the server', async t => {
  const { here, there, token } = await openTwo(t, { keeps: ['here'] })
  await there.sessions.revokeAll('ada')
  await until('the word', () => localOf(here).size === 0)
  t.equal(await status(here, token), 401)
})

t.test('the loss of the user\'s gate ends the copies of the user in the process', async t => {
  const house = await openLocal(t)
  const app = await house.app()
  const [ada, bob] = [await loggedIn(app), await loggedIn(app, 'bob')]
  await kept(app, ada)
  await until('the other copy', async () => await status(app, bob) === 200 && localOf(app).size === 2)
  const [tag] = ada.split('.')
  await house.client.del(`respite:v1:session:{${tag}}:u`)
  await until('the word', () => localOf(app).size === 1)
})

t.test('what a process writes itself ends its copy before the call resolves, without the word of the server', async t => {
  const { app, token } = await openKept(t, { perUser: { max: 2, onExceed: 'evict-oldest' } })
  const { missed } = deafened(app)
  const cart = async () => (await app.inject({ url: '/open', headers: bearer(token) })).json().cart
  t.same(await cart(), ['tea'])
  for (const drink of ['milk', 'water']) {
    t.equal((await app.inject({ method: 'POST', url: '/cart', payload: [drink], headers: bearer(token) })).statusCode, 200)
    t.same(await cart(), [drink])
    t.equal(localOf(app).size, 1, 'its own word is over by then')
  }
  await loggedIn(app)
  t.equal(localOf(app).size, 0, 'a login changes the gate')
  await kept(app, token)
  await app.sessions.revokeAll('ada')
  t.equal(localOf(app).size, 0)
  t.ok(missed.length > 0, 'the server has spoken, and nobody has heard it')
})

t.test("a save that is refused because the copy here was old ends the copy: with conflict 'compare-and-set' the next try may succeed", async t => {
  const house = await openLocal(t, { conflict: 'compare-and-set' })
  const [here, there] = [await house.app(), await house.app()]
  const token = await loggedIn(here)
  await kept(there, token)
  deafened(there)
  const save = async (app: FastifyInstance, drink: string) => (await app.inject({ method: 'POST', url: '/cart', payload: [drink], headers: bearer(token) })).statusCode
  t.equal(await save(here, 'tea'), 200)
  t.equal(await save(there, 'milk'), 409, 'it has read what was before')
  t.same((await there.inject({ url: '/open', headers: bearer(token) })).json().cart, ['tea'])
  t.equal(await save(there, 'milk'), 200)
})

t.test('an answer of Redis that was under way when the session ended is given, and not kept', async t => {
  const { here, there, token } = await openTwo(t, { keeps: ['there'] })
  const answer = holdAnswer(here)
  const asked = status(here, token)
  await answer.reached
  const heard = listened(t, here)
  await there.sessions.revokeAll('ada')
  await until('the word', () => heard.some(key => key.includes(':s:')))
  answer.open()
  t.equal(await asked, 200, 'it was alive when it was asked')
  t.equal(localOf(here).size, 0)
  t.equal(await status(here, token), 401)
})

t.test('with the connection that brings the word all copies go, also those it would have told of', async t => {
  const { house, here, there, token } = await openTwo(t, { keeps: ['here'] })
  const { missed } = deafened(here)
  await there.sessions.revokeAll('ada')
  await until('the lost word', () => missed.length > 0)
  await house.client.call('CLIENT', 'KILL', 'TYPE', 'pubsub')
  await until('the loss', () => localOf(here).size === 0)
  t.equal(await status(here, token), 401)
})

t.test('a flush ends the copies, and each session is asked of the store once', async t => {
  const { house, app, token } = await openKept(t)
  await house.client.flushall()
  await until('the word', () => localOf(app).size === 0)
  t.equal(await finds(app, async () => t.equal(await status(app, token), 200)), 1)
})

t.test('of another era nothing is believed, also with the connections as they were', async t => {
  const { app, token } = await openKept(t)
  Object.assign(app.respite.link, { eraOf: () => 'another' })
  t.equal(await finds(app, async () => t.equal(await status(app, token), 200)), 1)
})

t.test('with Redis frozen a log-out holds in every process, and after it thaws', async t => {
  const { house, here, there, token } = await openTwo(t, { keeps: ['here', 'there'], pollEvery: '200ms', trust: '1s', durableDown: '3s', durableDeadline: '5s' })
  house.server.freeze()
  t.equal(await status(there, token), 200)
  await here.sessions.revokeAll('ada')
  for (const app of [here, there]) t.equal(await status(app, token), 401)
  house.server.thaw()
  await until('Redis to be told', async () => (await house.watched.store.pending(10)).length === 0)
  for (const app of [here, there]) t.equal(await status(app, token), 401)
})

t.test('a row that Redis is not known to agree with ends its copy at the poll, whatever the server says', async t => {
  const { house, app, token } = await openKept(t, { pollEvery: '200ms', trust: '1s', durableDeadline: '5s' })
  deafened(app)
  // As a process that died between the commit and Redis would leave it.
  await house.watched.store.revoke({ owner: ownerOfUser('ada').owner })
  const polls = app.watched.count('pending')
  await until('the poll', () => app.watched.count('pending') >= polls + 2)
  t.same([localOf(app).size, (await house.watched.store.pending(10)).length], [0, 1], 'before anybody has told Redis')
  t.equal(await status(app, token), 401)
  await until('the row to go', async () => (await house.watched.store.pending(10)).length === 0)
  t.equal(await status(app, token), 401)
})

t.test('a fresh route asks the store, whatever is kept', async t => {
  const { app, token } = await openKept(t)
  t.equal(await finds(app, async () => t.equal((await app.inject({ url: '/fresh', headers: bearer(token) })).statusCode, 200)), 1)
})

t.test('a session that is answered from its copy is prolonged when its own remaining time says so', async t => {
  const { house, app, token } = await openKept(t, { idle: '3s', touchEvery: '1s' })
  const scripts = await house.scripts()
  t.equal(app.watched.count('touch'), 0)
  await until('the touch', async () => await status(app, token) === 200 && app.watched.count('touch') === 1)
  t.ok(await house.scripts() - scripts <= 3, 'until then no request has asked Redis')
})

t.test('a secret that is due is replaced, and the old one is refused after its grace', async t => {
  const house = await openLocal(t, { touchEvery: 0, rotateEvery: '1s', grace: '200ms' })
  const [here, there] = [await house.app(), await house.app()]
  const cookie = cookieOf(await here.inject({ method: 'POST', url: '/login/ada', payload: { transport: 'cookie' } }))
  let next = ''
  await until('the new secret', async () => {
    for (const app of [here, there]) {
      const answer = await app.inject({ url: '/me', headers: { cookie } })
      if (answer.headers['set-cookie'] !== undefined) next = cookieOf(answer)
    }
    return next !== ''
  })
  t.equal((await there.inject({ url: '/me', headers: { cookie: next } })).statusCode, 200)
  for (const app of [here, there]) await until('the end of the grace', async () => (await app.inject({ url: '/me', headers: { cookie } })).statusCode === 401)
})

t.test('where the server does not say what changes, nothing is kept', async t => {
  const house = await openLocal(t)
  const app = await house.app()
  const token = await loggedIn(app)
  Object.defineProperty(app.respite.invalidations, 'means', { value: 'bus' })
  for (let i = 0; i < 5; i++) t.equal(await status(app, token), 200)
  t.equal(localOf(app).size, 0)
})
