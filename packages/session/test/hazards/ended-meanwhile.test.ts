import { Redis } from 'ioredis'
import t from 'tap'
import { startRedis, until } from '@respite/testing'
import { bearer, cookieOf, loggedIn, slowApp, status } from '../shop.ts'
import { beforeItsFill, copiesOf, openHouse } from '../redis/house.ts'

t.test('T2: a cookie\'s session that ends while its request runs is not saved, and no cookie is set', async t => {
  const house = await openHouse(t)
  const [here, there] = [await slowApp(house), await house.app()]
  const cookie = cookieOf(await here.inject({ method: 'POST', url: '/login/ada' }))
  const slow = here.inject({ method: 'POST', url: '/slow/cart', payload: ['tea'], headers: { cookie } })
  await here.handler.reached
  t.equal((await there.inject({ method: 'POST', url: '/logout', headers: { cookie } })).statusCode, 200)
  here.handler.open()
  t.match(await slow, { statusCode: 200, headers: { 'set-cookie': undefined } })
  for (const app of [here, there]) t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
  t.equal(await here.sessions.active(), 0)
})

t.test('T2: the same for a visitor\'s session, which ends when he logs in beside it', async t => {
  const house = await openHouse(t)
  const [here, there] = [await slowApp(house), await house.app()]
  const cookie = cookieOf(await here.inject({ method: 'POST', url: '/cart', payload: ['milk'] }))
  const slow = here.inject({ method: 'POST', url: '/slow/cart', payload: ['tea'], headers: { cookie } })
  await here.handler.reached
  const login = await there.inject({ method: 'POST', url: '/login/ada', headers: { cookie } })
  // The process that ends it knows first, and Redis a moment later.
  await until('the end of the visitor\'s session', async () => (await here.inject({ url: '/open', headers: { cookie } })).json().cart === null)
  here.handler.open()
  t.equal((await slow).headers['set-cookie'], undefined)
  t.equal((await here.inject({ url: '/open', headers: { cookie } })).json().cart, null)
  t.same((await here.inject({ url: '/open', headers: { cookie: cookieOf(login) } })).json(), { user: 'ada', cart: null })
})

t.test('T4: a fill under way is refused although the tombstone of the log-out was evicted', async t => {
  const house = await openHouse(t)
  const { here, there, token, resume } = await beforeItsFill(house)
  await there.sessions.revokeAll('ada')
  t.equal(await house.client.del(...(await copiesOf(house.client)).keys()), 1)
  await resume()
  // What was filled in the background would be there now, for whoever asks Redis alone.
  await here.close()
  t.strictSame(await copiesOf(house.client), new Map())
  t.equal(await status(there, token), 401)
})

t.test('T4: the same where one session ends, and its gate is evicted and made anew', async t => {
  const house = await openHouse(t)
  const { here, there, token, resume } = await beforeItsFill(house)
  t.equal((await there.inject({ method: 'POST', url: '/logout', headers: bearer(token) })).statusCode, 200)
  await house.client.del(...await house.client.keys('respite:v1:session:*'))
  const third = await house.app()
  t.equal(await status(third, token), 401)
  await until('what it has told Redis', async () => (await copiesOf(house.client)).size === 1)
  await house.client.del(...(await copiesOf(house.client)).keys())
  t.equal((await house.client.keys('respite:v1:session:*:u')).length, 1, 'another lease of another lineage')
  await resume()
  await here.close()
  t.strictSame(await copiesOf(house.client), new Map())
})

t.test('T4: after a failover to a replica that has not heard of the log-out no copy of it is believed', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const [token, other] = [await loggedIn(app), await loggedIn(app, 'bob')]
  for (const one of [token, other]) t.equal(await status(app, one), 200)
  // It has the copies, and hears no more.
  const replica = await startRedis()
  const copy = new Redis(replica.port, '127.0.0.1')
  t.teardown(async () => { copy.disconnect(); await replica.stop() })
  await house.client.config('SET', 'repl-diskless-sync-delay', 0)
  await copy.config('SET', 'repl-diskless-sync-delay', 0)
  await copy.replicaof('127.0.0.1', house.server.port)
  await until('the copies in the replica', async () => (await copiesOf(copy)).size === 2, 60_000)
  await copy.replicaof('NO', 'ONE')
  t.equal((await app.inject({ method: 'POST', url: '/logout', headers: bearer(token) })).statusCode, 200)
  // What the app reaches from now on has the replica's data, under an identity of its own.
  await house.server.restart()
  const promoted = new Redis(house.server.port, '127.0.0.1')
  t.teardown(() => { promoted.disconnect() })
  await promoted.replicaof('127.0.0.1', replica.port)
  await until('its data', async () => (await copiesOf(promoted)).size === 2, 60_000)
  await promoted.replicaof('NO', 'ONE')
  t.strictSame([...(await copiesOf(promoted)).values()].map(fields => fields.x), [undefined, undefined], 'both look alive')
  // Asked until the app is with Redis again, and uses it: the verdict is the same all along.
  await until('Redis to be used again', async () => {
    t.equal(await status(app, token), 401)
    const asked = app.watched.count('find')
    return await status(app, other) === 200 && app.watched.count('find') === asked
  })
  const another = await house.app()
  t.equal(await status(another, token), 401, 'also in a process that remembers nothing')
})
