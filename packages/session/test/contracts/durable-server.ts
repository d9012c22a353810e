import { FST_RSP_SESSION_STORE_DOWN } from '@respite/session'
import { startRedis, until } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import { Redis } from 'ioredis'
import type { Test } from 'tap'
import type { SessionStore } from '../../src/stores/store.ts'
import { makeApp } from '../app.ts'
import { secrets } from '../grounds.ts'
import { copiesOf } from '../redis/house.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { WatchedStore } from '../watched-store.ts'

/** A database server under test. */
export interface DurableServer {
  /** A store over it, as each process has one. */
  store (): SessionStore
  query (text: string): Promise<unknown>
  stop (): Promise<void>
}

/** What two instances of an app over Redis and a database server must do together; run once for each server. */
export async function durableServerContract (t: Test, start: () => Promise<DurableServer>): Promise<void> {
  const [durable, server] = [await start(), await startRedis()]
  const client = new Redis(server.port, '127.0.0.1')
  const apps: FastifyInstance[] = []
  const stores: WatchedStore[] = []
  t.teardown(async () => {
    await Promise.all(apps.map(app => app.close()))
    client.disconnect()
    await Promise.all([durable.stop(), server.stop()])
  })
  for (let i = 0; i < 2; i++) {
    const watched = new WatchedStore(durable.store())
    const app = addRoutes(await makeApp({ secrets, durable: watched.store, durableDeadline: '20s' }, { redis: { url: server.url } }))
    await app.ready()
    await until('Redis', () => app.respite.link.state === 'up' && app.respite.link.eraOf('any') !== undefined)
    apps.push(app)
    stores.push(watched)
  }
  const [here, there] = apps as [FastifyInstance, FastifyInstance]

  t.test('T1: of many logins of one user at once exactly one lives, the highest epoch', async t => {
    for (let round = 0; round < 2; round++) {
      const tokens = await Promise.all(Array.from({ length: 100 }, (_, i) => loggedIn(apps[i % 2]!)))
      const answers = await Promise.all(tokens.map((token, i) => status(apps[(i + 1) % 2]!, token)))
      t.same(answers.filter(code => code === 200), [200])
      t.same(await durable.query(`SELECT CASE WHEN s.epoch = o.epoch THEN 'last' END AS epoch FROM respite_session s JOIN respite_owner o ON o.owner = s.owner
WHERE s.dead = 0 AND o.user_id = 'ada'`), [{ epoch: 'last' }])
      t.ok([...(await copiesOf(client)).values()].filter(copy => copy.x === undefined).length <= 1)
    }
  })

  t.test('data, log-out and a visitor\'s cart, from one instance to the other', async t => {
    const visitor = cookieOf(await here.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
    const login = await there.inject({ method: 'POST', url: '/login/bob', headers: { cookie: visitor }, payload: { carry: ['cart'] } })
    const cookie = cookieOf(login)
    t.same((await here.inject({ url: '/open', headers: { cookie } })).json(), { user: 'bob', cart: ['tea'] })
    await here.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    t.equal((await there.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
  })

  t.test('a log-out that the store did not take is refused with 503, and its cookie goes all the same', async t => {
    const cookie = cookieOf(await here.inject({ method: 'POST', url: '/login/eve' }))
    t.equal((await here.inject({ url: '/me', headers: { cookie } })).statusCode, 200)
    stores[0]!.failure = new FST_RSP_SESSION_STORE_DOWN('test')
    const out = await here.inject({ method: 'POST', url: '/logout', headers: { cookie } })
    stores[0]!.failure = undefined
    t.equal(out.statusCode, 503)
    t.match(out.headers['set-cookie'], /^__Host-sid=; Max-Age=0/)
    t.equal((await there.inject({ url: '/me', headers: bearer(cookie.split('=')[1]!) })).statusCode, 200, 'it was said to have failed, and did')
  })
}
