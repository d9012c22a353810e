import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { gate, until } from '@respite/testing'
import type { SessionOptions, SessionStore } from '@respite/session'
import { makeApp } from '../app.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { copiesOf, openHouse, type TestHouse } from './house.ts'

const often: SessionOptions = { touchEvery: 0, rotateEvery: '1h', grace: '30s' }

/** What it touches is old enough for another secret. */
function aged (store: SessionStore): SessionStore {
  return new Proxy(store, {
    get (target, name: keyof SessionStore) {
      const value = target[name] as unknown
      if (typeof value !== 'function') return value
      if (name !== 'touch') return value.bind(target)
      return async (...args: Parameters<SessionStore['touch']>) => {
        const touched = await target.touch(...args)
        return touched && { ...touched, issuedAgeMs: 7_200_000 }
      }
    }
  })
}

async function agedApp (house: TestHouse, options: SessionOptions = often): Promise<FastifyInstance> {
  return await house.app({ ...options, durable: aged(house.watched.store) })
}

const me = (app: FastifyInstance, cookie: string) => app.inject({ url: '/me', headers: { cookie } })

/** Logs in by cookie, and waits until the copy is marked for another secret. */
async function due (t: Test, house: TestHouse, app: FastifyInstance): Promise<string> {
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: { data: { theme: 'dark' } } }))
  const first = await me(app, cookie)
  t.strictSame([first.statusCode, first.headers['set-cookie']], [200, undefined])
  await until('it is marked', async () => [...(await copiesOf(house.client)).values()].some(copy => copy['r'] === '1'))
  return cookie
}

t.test('T15: twenty parallel requests on an id that rotates: one successor, nobody is refused, and both answer within the grace', async t => {
  const house = await openHouse(t)
  const apps = [await agedApp(house), await agedApp(house)]
  const rotated: string[] = []
  for (const app of apps) app.sessions.on('rotated', ({ id }) => { rotated.push(id) })
  const cookie = await due(t, house, apps[0]!)
  const answers = await Promise.all(Array.from({ length: 20 }, (_, i) => me(apps[i % 2]!, cookie)))
  t.strictSame(new Set(answers.map(answer => answer.statusCode)), new Set([200]))
  const renewed = answers.filter(answer => answer.headers['set-cookie'] !== undefined)
  t.equal(renewed.length, 1)
  t.equal(renewed[0]!.headers['cache-control'], 'no-store')
  t.strictSame(rotated, [answers[0]!.json().id], 'the public id stays')
  const next = cookieOf(renewed[0]!)
  t.not(next, cookie)
  for (const app of apps) {
    for (const shown of [cookie, next]) t.equal((await me(app, shown)).statusCode, 200)
    t.equal((await app.inject({ url: '/fields', headers: { cookie: next } })).json().theme, 'dark')
  }
  t.equal((await apps[0]!.sessions.list('ada')).length, 1)
  await apps[0]!.sessions.revokeAll('ada')
  for (const app of apps) for (const shown of [cookie, next]) t.equal((await me(app, shown)).statusCode, 401)
})

t.test('T15: a secret used after its grace is told as reuse, and ends the session for whoever has the new one', async t => {
  const house = await openHouse(t)
  const app = await agedApp(house, { ...often, grace: '100ms' })
  const reused: string[] = []
  app.sessions.on('reuse', ({ id }) => { reused.push(id) })
  const cookie = await due(t, house, app)
  const renewed = await me(app, cookie)
  const next = cookieOf(renewed)
  t.equal((await me(app, next)).statusCode, 200)
  await until('the grace has ended', async () => (await me(app, cookie)).statusCode === 401)
  t.strictSame(reused, [renewed.json().id])
  await until('the session has ended', async () => (await me(app, next)).statusCode === 401)
})

t.test('a bearer token keeps its secret, and so does a cookie with rotateEvery: 0', async t => {
  const house = await openHouse(t)
  const app = await agedApp(house)
  const token = await loggedIn(app)
  t.equal(await status(app, token), 200)
  await until('it is marked', async () => [...(await copiesOf(house.client)).values()].some(copy => copy['r'] === '1'))
  t.equal((await app.inject({ url: '/me', headers: bearer(token) })).headers['set-cookie'], undefined)
  t.equal(await status(app, token), 200)
  const never = await agedApp(house, { ...often, rotateEvery: 0 })
  const cookie = cookieOf(await never.inject({ method: 'POST', url: '/login/bob', payload: {} }))
  const renewals: string[] = []
  never.sessions.on('renewed', ({ id }) => { renewals.push(id) })
  for (let i = 0; i < 3; i++) t.equal((await me(never, cookie)).headers['set-cookie'], undefined)
  await until('it was prolonged', () => renewals.length > 0)
  t.equal((await me(never, cookie)).headers['set-cookie'], undefined)
})

t.test('a log-out that comes while the id rotates ends the successor too', async t => {
  const house = await openHouse(t)
  const app = await agedApp(house)
  const cookie = await due(t, house, app)
  const committed = gate()
  house.watched.after.set('rotate', () => committed.pass())
  const rotating = me(app, cookie)
  await committed.reached
  await app.sessions.revokeAll('ada')
  committed.open()
  const renewed = await rotating
  for (const shown of [cookie, cookieOf(renewed)]) t.equal((await me(app, shown)).statusCode, 401)
  t.strictSame([...(await copiesOf(house.client)).values()].filter(copy => copy['x'] === undefined), [])
})

t.test('with the durable store down, or Redis, nothing rotates and the session goes on', async t => {
  const house = await openHouse(t)
  const app = await agedApp(house)
  const cookie = await due(t, house, app)
  house.watched.failure = new Error('down')
  const answer = await me(app, cookie)
  t.strictSame([answer.statusCode, answer.headers['set-cookie']], [200, undefined])
  house.watched.failure = undefined
  house.server.freeze()
  const frozen = await me(app, cookie)
  t.strictSame([frozen.statusCode, frozen.headers['set-cookie']], [200, undefined])
  house.server.thaw()
  await until('it rotates', async () => (await me(app, cookie)).headers['set-cookie'] !== undefined)
})

t.test('without Redis a session rotates by its row', async t => {
  const app = addRoutes(await makeApp({ touchEvery: 0, rotateEvery: '200ms', grace: '100ms' }))
  t.teardown(() => app.close())
  let cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: {} }))
  const before = cookie
  await until('it has another', async () => {
    const answer = await me(app, cookie)
    t.equal(answer.statusCode, 200)
    if (answer.headers['set-cookie'] !== undefined) cookie = cookieOf(answer)
    return cookie !== before
  })
  t.equal((await me(app, cookie)).statusCode, 200)
})

t.test('a grace as long as the time between two rotations is refused at boot', async t => {
  await t.rejects(makeApp({ rotateEvery: '10s', grace: '10s' }), { message: /grace \(10000 ms\) must be below rotateEvery \(10000 ms\)/ })
})
