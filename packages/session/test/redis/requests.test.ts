import { createHash } from 'node:crypto'
import { until } from '@respite/testing'
import t from 'tap'
import { bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { callsOf, copiesOf, openHouse } from './house.ts'

t.test('a read-only request is one Redis command, asks the store nothing and writes nothing', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const token = await loggedIn(app, 'ada', { cart: ['tea'] })
  t.equal(await status(app, token), 200)
  const scripts = async () => await callsOf(house.client, 'evalsha') + await callsOf(house.client, 'eval')
  const [before, asked, copies] = [await scripts(), app.watched.count('find'), await copiesOf(house.client)]
  for (let i = 0; i < 50; i++) t.same((await app.inject({ url: '/open', headers: bearer(token) })).json(), { user: 'ada', cart: ['tea'] })
  t.equal(await scripts() - before, 50)
  t.equal(app.watched.count('find') - asked, 0)
  t.equal(app.watched.count('touch') + app.watched.count('save'), 0)
  t.same(await copiesOf(house.client), copies)
})

t.test('what Redis has lost is answered by the store, and put back once for many', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const token = await loggedIn(app, 'ada', { cart: ['tea'] })
  await house.client.flushall()
  const asked = app.watched.count('find')
  const answers = await Promise.all(Array.from({ length: 50 }, () => app.inject({ url: '/open', headers: bearer(token) })))
  for (const answer of answers) t.same(answer.json(), { user: 'ada', cart: ['tea'] })
  t.ok(app.watched.count('find') - asked <= 3, 'one read at a time, shared by who asked before it was sent')
  await until('the copy', async () => (await copiesOf(house.client)).size === 1)
  const again = app.watched.count('find')
  t.equal(await status(app, token), 200)
  t.equal(app.watched.count('find'), again)
})

t.test('a restarted server is another era: every session is asked of the store once', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const token = await loggedIn(app)
  await house.server.restart()
  await until('the session from Redis again', async () => {
    const asked = app.watched.count('find')
    return await status(app, token) === 200 && app.watched.count('find') === asked
  })
})

t.test('what one instance saves another reads, from Redis', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const token = await loggedIn(here)
  await here.inject({ method: 'POST', url: '/cart', payload: ['tea'], headers: bearer(token) })
  t.same((await there.inject({ url: '/open', headers: bearer(token) })).json().cart, ['tea'])
  await there.inject({ method: 'DELETE', url: '/cart', headers: bearer(token) })
  t.same((await here.inject({ url: '/fields', headers: bearer(token) })).json(), {})
  t.equal(there.watched.count('find') + here.watched.count('find'), 0)
  await here.inject({ method: 'POST', url: '/field/same', payload: { a: 1 }, headers: bearer(token) })
  const saves = here.watched.count('save')
  await here.inject({ method: 'POST', url: '/field/same', payload: { a: 1 }, headers: bearer(token) })
  t.equal(here.watched.count('save'), saves, 'the same value again is no change')
})

t.test('conflict modes: the last save replaces all, or the second is refused', async t => {
  const house = await openHouse(t)
  const [last, compare] = [await house.app({ conflict: 'last-wins' }), await house.app({ conflict: 'compare-and-set' })]
  const token = await loggedIn(last, 'ada', { a: 1 })
  await last.inject({ method: 'POST', url: '/field/b', payload: { b: 2 }, headers: bearer(token) })
  t.same(Object.keys((await last.inject({ url: '/fields', headers: bearer(token) })).json()), ['a', 'b'])
  const codes = await Promise.all(['c', 'd'].map(async name => (await compare.inject({ method: 'POST', url: `/field/${name}`, payload: {}, headers: bearer(token) })).json().code))
  t.same(codes.sort(), ['FST_RSP_SESSION_CONFLICT', undefined].sort())
})

t.test('the idle end is prolonged, at most every touchEvery, and never beyond the absolute end', async t => {
  const house = await openHouse(t)
  const app = await house.app({ idle: '60s', touchEvery: '50s', absolute: '2m' })
  const token = await loggedIn(app)
  for (let i = 0; i < 5; i++) await status(app, token)
  t.equal(app.watched.count('touch'), 0)
  const busy = await house.app({ idle: '60s', touchEvery: 0, absolute: '60s' })
  for (let i = 0; i < 5; i++) t.equal(await status(busy, token), 200)
  await until('the touch', () => busy.watched.count('touch') > 0)
  const capped = await loggedIn(busy, 'bob')
  const before = busy.watched.count('touch')
  for (let i = 0; i < 5; i++) t.equal(await status(busy, capped), 200)
  t.equal(busy.watched.count('touch'), before, 'there is nothing to prolong')
})

t.test('an idle session ends in Redis and in the store at the same time', async t => {
  const house = await openHouse(t)
  const app = await house.app({ idle: '1s', touchEvery: '900ms', absolute: '5s' })
  const token = await loggedIn(app)
  t.equal(await status(app, token), 200)
  await until('its end in Redis', async () => (await copiesOf(house.client)).size === 0)
  await until('its end', async () => await status(app, token) === 401)
})

t.test('T8: only a hash of the secret is stored, and it is no token', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const token = await loggedIn(app)
  const [tag, secret, mac] = token.split('.') as [string, string, string]
  const hash = createHash('sha256').update(secret).digest('base64url')
  const [key] = [...(await copiesOf(house.client)).keys()]
  t.equal(key, `respite:v1:session:{${tag}}:s:${hash}`)
  const everything = JSON.stringify([[...await copiesOf(house.client)], await app.watched.store.find(hash)])
  t.notOk(everything.includes(secret) || everything.includes(mac))
  for (const forged of [`${tag}.${hash}.${mac}`, hash, `${tag}.${secret}.${createHash('sha256').update(`${tag}.${secret}`).digest('base64url')}`]) {
    t.equal(await status(app, forged), 401)
  }
})

t.test('T17: forged tokens cost no query, and a thousand replays of one ended token cost one', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const token = await loggedIn(app)
  const queries = () => [...app.watched.calls].reduce((sum, [name, n]) => name === 'pending' ? sum : sum + n, 0)
  const before = queries()
  const calls = await callsOf(house.client, 'evalsha') + await callsOf(house.client, 'eval')
  for (let i = 0; i < 100_000; i++) {
    const forged = `${token.slice(0, 22)}.${String(i).padStart(43, 'x')}.${token.slice(-43)}`
    if (app.respite.use('identity').subject({ headers: bearer(forged) } as never) !== undefined) t.fail('a forged token was taken for ours')
  }
  for (let i = 0; i < 500; i++) t.equal(await status(app, `${token.slice(0, 66)}.${String(i).padStart(43, 'y')}`), 401)
  t.equal(queries(), before)
  t.equal(await callsOf(house.client, 'evalsha') + await callsOf(house.client, 'eval'), calls)
  await app.sessions.revokeAll('ada')
  const other = await house.app()
  const codes = await Promise.all(Array.from({ length: 500 }, () => status(other, token)))
  for (let i = 0; i < 500; i++) codes.push(await status(other, token))
  t.same(new Set(codes), new Set([401]))
  t.ok(other.watched.count('find') <= 1)
})

t.test('a visitor\'s session lives in Redis too, and ends with the log-in', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const visitor = cookieOf(await here.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  t.same((await there.inject({ url: '/open', headers: { cookie: visitor } })).json(), { user: null, cart: ['tea'] })
  const login = await here.inject({ method: 'POST', url: '/login/ada', headers: { cookie: visitor }, payload: { carry: ['cart'] } })
  t.same((await there.inject({ url: '/open', headers: { cookie: cookieOf(login) } })).json(), { user: 'ada', cart: ['tea'] })
  await until('the end of the visitor\'s session', async () => (await there.inject({ url: '/open', headers: { cookie: visitor } })).json().cart === null)
})
