import t from 'tap'
import { until } from '@respite/testing'
import { newTag, Tokens } from '../../src/token.ts'
import { secrets } from '../grounds.ts'
import { copiesOf, openHouse } from '../redis/house.ts'
import { bearer, cookieOf, loggedIn, status } from '../shop.ts'

t.test('T7: a well signed token that no store has issued, and an expired one, are refused, and no session is made for them', async t => {
  const house = await openHouse(t)
  const [here, there] = [await house.app({ idle: '1s', touchEvery: 0, absolute: '1s' }), await house.app()]
  const issued = await loggedIn(here)
  const [tag] = issued.split('.') as [string]
  const tokens = new Tokens(secrets, credential => credential)
  // Of nobody, and under the tag of one who is there: as who has stolen the secrets would make them.
  const planted = [tokens.issue(newTag()).token, tokens.issue(tag).token]
  await until('the end of the session', async () => await status(here, issued) === 401)
  for (const token of [...planted, issued]) {
    for (const app of [here, there]) {
      t.equal(await status(app, token), 401)
      const response = await app.inject({ url: '/open', headers: { cookie: `__Host-sid=${token}` } })
      t.strictSame(response.json(), { user: null, cart: null })
      t.equal(response.headers['set-cookie'], undefined)
    }
  }
  for (const app of [here, there]) await app.close()
  const copies = [...(await copiesOf(house.client)).values()]
  t.ok(copies.length > 0)
  t.ok(copies.every(copy => copy.x === '1'), 'known to be dead, and nothing else')
})

t.test('T7: what a request with a planted cookie saves goes into a session with an id of our own', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const planted = new Tokens(secrets, credential => credential).issue(newTag()).token
  const made = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['tea'], headers: { cookie: `__Host-sid=${planted}` } }))
  const [tag, secret] = made.split('=')[1]!.split('.') as [string, string]
  for (const part of planted.split('.')) t.notOk(made.includes(part))
  t.ok(tag.length === 22 && secret.length === 43)
  t.equal((await app.inject({ url: '/open', headers: { cookie: `__Host-sid=${planted}` } })).json().cart, null)
  t.strictSame((await app.inject({ url: '/open', headers: { cookie: made } })).json().cart, ['tea'])
})

t.test('T7: a log-in over a planted cookie gives a new id, and the planted one opens nothing', async t => {
  const house = await openHouse(t)
  const app = await house.app()
  const visitor = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  const login = await app.inject({ method: 'POST', url: '/login/ada', headers: { cookie: visitor } })
  const cookie = cookieOf(login)
  for (const part of visitor.split('=')[1]!.split('.')) t.notOk(cookie.includes(part))
  t.equal((await app.inject({ url: '/me', headers: bearer(visitor.split('=')[1]!) })).statusCode, 401)
  t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 200)
})
