import { FST_RSP_SESSION_STORE_DOWN, type SessionOptions } from '@respite/session'
import { gate, until } from '@respite/testing'
import t from 'tap'
import { heal } from '../../src/healer.ts'
import { servicesOf } from '../../src/session-services.ts'
import { bearer, loggedIn, status } from '../shop.ts'
import { copiesOf, openHouse } from './house.ts'

const quick: SessionOptions = { pollEvery: '200ms', trust: '1s', durableDown: '3s', durableDeadline: '5s' }
const down = () => new FST_RSP_SESSION_STORE_DOWN('test')

t.test('T11: with Redis frozen the store answers within the deadline, and a log-out holds after it thaws', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(quick), await house.app(quick)]
  const [ada, bob] = [await loggedIn(here), await loggedIn(here, 'bob')]
  for (const token of [ada, bob]) t.equal(await status(there, token), 200)
  house.server.freeze()
  const began = performance.now()
  t.equal(await status(there, bob), 200)
  t.ok(performance.now() - began < 2_000, 'the deadline, and not a time-out of the client')
  const out = await here.inject({ method: 'POST', url: '/logout', headers: bearer(ada) })
  t.equal(out.statusCode, 200)
  for (const app of [here, there]) t.equal(await status(app, ada), 401)
  house.server.thaw()
  for (let i = 0; i < 20; i++) for (const app of [here, there]) t.equal(await status(app, ada), 401)
  await until('Redis to be told', async () => [...(await copiesOf(house.client)).values()].filter(copy => copy.x === undefined).length <= 1)
  t.equal(await status(here, bob), 200)
  for (const app of [here, there]) t.equal(await status(app, ada), 401)
})

t.test('a login while Redis is gone ends the session before it, also for an instance that still reaches Redis', async t => {
  const house = await openHouse(t)
  const [cut, connected] = [await house.app(quick), await house.app(quick)]
  const first = await loggedIn(connected)
  t.equal(await status(connected, first), 200)
  // Of this instance's calls none arrives.
  const { link } = cut.respite
  for (const name of ['run', 'send'] as const) Object.assign(link, { [name]: async () => { throw down() } })
  Object.assign(link, { call: (...args: unknown[]) => setImmediate(args.at(-1) as (error: Error) => void, down()) })
  const second = await loggedIn(cut)
  t.equal(await status(connected, first), 401)
  t.equal(await status(connected, second), 200)
})

t.test('what a process left half done is healed by another: Redis is told, then the row goes', async t => {
  const house = await openHouse(t)
  const app = await house.app(quick)
  const token = await loggedIn(app)
  t.equal(await status(app, token), 200)
  // As a process that died between the commit and Redis would leave it.
  const { ownerOfUser } = await import('../../src/owner.ts')
  await house.watched.store.revoke({ owner: ownerOfUser('ada').owner })
  await until('the poll', async () => await status(app, token) === 401)
  await until('the row to go', async () => (await house.watched.store.pending(10)).length === 0)
  t.same([...(await copiesOf(house.client)).values()].map(copy => copy.x), ['1'])
})

t.test('a save that Redis did not acknowledge is read from the store until it does', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(quick), await house.app(quick)]
  const token = await loggedIn(here, 'ada', { cart: ['tea'] })
  const { link } = here.respite
  const run = link.run.bind(link)
  Object.assign(link, { run: async () => { throw down() } })
  t.equal((await here.inject({ method: 'POST', url: '/cart', payload: ['milk'], headers: bearer(token) })).statusCode, 200)
  const cart = async () => (await there.inject({ url: '/open', headers: bearer(token) })).json().cart[0]
  await until('the poll', async () => await cart() === 'milk')
  Object.assign(link, { run })
  await until('the row to be confirmed', async () => (await house.watched.store.pending(10)).length === 0)
  t.equal(await cart(), 'milk')
})

for (const l1 of [false, {}] as const) {
  t.test(`a save that Redis did not acknowledge is read by the process that made it, before any poll, ${l1 === false ? 'without' : 'with'} copies of its own`, async t => {
    const house = await openHouse(t)
    const app = await house.app({ l1, pollEvery: '1h', trust: '2h', durableDown: '3h' })
    const token = await loggedIn(app, 'ada', { cart: ['tea'] })
    const cart = async () => (await app.inject({ url: '/open', headers: bearer(token) })).json().cart[0]
    await until('the copy', async () => await cart() === 'tea' && [...(await copiesOf(house.client)).values()].some(copy => copy['f:cart'] === '["tea"]'))
    const { link } = app.respite
    const run = link.run.bind(link)
    Object.assign(link, { run: async () => { throw down() } })
    // A poll that was sent before the save does not know of it.
    const { trust } = servicesOf.get(app.sessions)!
    const held = gate()
    app.watched.after.set('pending', () => held.pass())
    const polled = trust!.poll()
    await held.reached
    t.equal((await app.inject({ method: 'POST', url: '/cart', payload: ['milk'], headers: bearer(token) })).statusCode, 200)
    t.equal(await cart(), 'milk')
    held.open()
    await polled
    t.equal(await cart(), 'milk', 'after the answer that is older than the save')
    await trust!.poll()
    t.equal(await cart(), 'milk', 'the row is pending')
    Object.assign(link, { run })
    const rows = await house.watched.store.pending(10)
    t.equal(rows.length, 1)
    await heal({ ...servicesOf.get(app.sessions)!, deadlineMs: 5_000 }, rows)
    await trust!.poll()
    const asked = app.watched.count('find')
    await until('Redis to answer again', async () => {
      const before = app.watched.count('find')
      t.equal(await cart(), 'milk')
      return app.watched.count('find') === before
    })
    t.ok(app.watched.count('find') > asked, 'its copy was filled anew')
  })
}

t.test('T12: with the durable store down Redis is served for a stated time, and nothing changes', async t => {
  const house = await openHouse(t)
  const app = await house.app(quick)
  const token = await loggedIn(app)
  t.equal(await status(app, token), 200)
  app.watched.failure = new TypeError('the database is gone')
  const refused = await app.inject({ method: 'POST', url: '/login/bob', payload: {} })
  t.match(refused.json(), { statusCode: 503, code: 'FST_RSP_SESSION_STORE_DOWN' })
  t.equal((await app.inject({ url: '/fresh', headers: bearer(token) })).statusCode, 503)
  t.equal((await app.inject({ method: 'POST', url: '/cart', payload: [1], headers: bearer(token) })).statusCode, 503)
  t.equal(await status(app, token), 200)
  const out = await app.inject({ method: 'POST', url: '/logout', headers: bearer(token) })
  t.equal(out.statusCode, 503)
  t.match((await app.respite.health.report()).parts.session, { status: 'degraded', store: 'sqlite', durable: 'down' })
  await until('the end of the bounded trust', async () => await status(app, token) === 503)
  t.equal((await app.inject({ url: '/open', headers: bearer(token) })).statusCode, 503, 'nor is it taken for a visitor')
  t.equal((await app.inject('/open')).statusCode, 200)
  t.match((await app.respite.health.report()).parts.session, { status: 'down' })
  app.watched.failure = undefined
  await until('the store to be back', async () => await status(app, token) === 200)
  t.match((await app.respite.health.report()).parts.session, { status: 'ok', durable: 'up' })
})

t.test('with both down nobody is logged in by failure', async t => {
  const house = await openHouse(t)
  const app = await house.app(quick)
  const token = await loggedIn(app)
  await house.server.kill()
  app.watched.failure = new TypeError('the database is gone')
  for (const url of ['/me', '/open']) t.equal((await app.inject({ url, headers: bearer(token) })).statusCode, 503)
  app.watched.failure = undefined
  t.equal(await status(app, token), 200)
})

t.test('with Redis gone and back, sessions never stop', async t => {
  const house = await openHouse(t)
  const app = await house.app(quick)
  const token = await loggedIn(app)
  await house.server.kill()
  for (let i = 0; i < 5; i++) t.equal(await status(app, token), 200)
  const other = await loggedIn(app, 'bob')
  await house.server.restart()
  await until('Redis to be used again', async () => {
    const asked = app.watched.count('find')
    return await status(app, token) === 200 && app.watched.count('find') === asked
  })
  t.equal(await status(app, other), 200)
})

// Seen: what was confirmed in the background had no deadline, and app.close() waited for it.
t.test('an app closes while the durable store answers nothing any more', async t => {
  const house = await openHouse(t)
  const app = await house.app({ durableDeadline: '200ms' })
  const never = gate()
  t.teardown(() => never.open())
  app.watched.after.set('confirm', () => never.pass())
  await loggedIn(app)
  await loggedIn(app)
  await never.reached
  await app.close()
})
