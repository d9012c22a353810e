import t from 'tap'
import { until } from '@respite/testing'
import { bearer, loggedIn, status } from '../shop.ts'
import { everlasting, openRedisHouse } from './house.ts'

t.test('a bearer\'s secret is replaced at once, and the old one ends with its grace', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app({ grace: '100ms' }, { routes: app => app.post('/rotate', async (_, reply) => await reply.rotate()) })
  const token = await loggedIn(app)
  const { token: next } = (await app.inject({ method: 'POST', url: '/rotate', headers: bearer(token) })).json()
  t.not(next, token)
  t.equal(await status(app, next), 200)
  await until('the end of the grace', async () => await status(app, token) === 401)
  t.strictSame(await everlasting(house.client), [])
})
