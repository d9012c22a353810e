import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import type { SessionOptions } from '@respite/session'
import { makeApp } from '../app.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { copiesOf, openHouse } from './house.ts'

function addRotate (app: FastifyInstance): FastifyInstance {
  app.post('/rotate', async (request, reply) => {
    request.session.set('rights', request.body)
    return await reply.rotate()
  })
  app.post('/off-rotate', { config: { session: false } }, async (_, reply) => await reply.rotate())
  return app
}

const rotate = (app: FastifyInstance, headers: Record<string, string>) => app.inject({ method: 'POST', url: '/rotate', payload: ['admin'], headers })
const rights = async (app: FastifyInstance, token: string) => (await app.inject({ url: '/fields', headers: bearer(token) })).json().rights

const conflicts: SessionOptions[] = [{}, { conflict: 'last-wins' }, { conflict: 'compare-and-set' }, { data: 'behind' }]
for (const options of conflicts) {
  t.test(`a bearer's secret is replaced at once, with what its request has changed: ${JSON.stringify(options)}`, async t => {
    const house = await openHouse(t)
    const [here, there] = [await house.app({ grace: '100ms', ...options }, { routes: addRotate }), await house.app({ grace: '100ms', ...options })]
    const rotated: string[] = []
    here.sessions.on('rotated', ({ id }) => { rotated.push(id) })
    const token = await loggedIn(here, 'ada', { theme: 'dark' })
    t.equal(await status(here, token), 200)
    const answer = await rotate(here, bearer(token))
    t.equal(answer.statusCode, 200, answer.body)
    const { id, token: next } = answer.json()
    t.strictSame([answer.headers['cache-control'], answer.headers['set-cookie']], ['no-store', undefined])
    t.strictSame(rotated, [id], 'the public id stays')
    t.not(next, token)
    for (const app of [here, there]) t.strictSame(await rights(app, next), ['admin'])
    t.equal((await here.sessions.list('ada'))[0]!.id, id)
    await until('the end of the grace', async () => await status(there, token) === 401)
    await until('the end for whoever has the new one', async () => await status(here, next) === 401)
  })
}

t.test('a cookie that rotates at once comes with the answer, and the old one answers within the grace', async t => {
  const house = await openHouse(t)
  const app = await house.app({ remember: { idle: '30d', absolute: '90d' } }, { routes: addRotate })
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: { remember: true } }))
  const answer = await rotate(app, { cookie })
  t.match(answer.headers, { 'cache-control': 'no-store', 'set-cookie': /Max-Age=777\d{4}; .*HttpOnly/ })
  t.strictSame(Object.keys(answer.json()), ['id'])
  t.not(cookieOf(answer), cookie)
  for (const shown of [cookie, cookieOf(answer)]) {
    t.match((await app.inject({ url: '/me', headers: { cookie: shown } })).json(), { user: 'ada', id: answer.json().id })
  }
  await app.sessions.revokeAll('ada')
  for (const shown of [cookie, cookieOf(answer)]) t.equal((await app.inject({ url: '/me', headers: { cookie: shown } })).statusCode, 401)
})

t.test('of two requests that rotate at once one is told that the other has', async t => {
  const house = await openHouse(t)
  const apps = [await house.app({}, { routes: addRotate }), await house.app({}, { routes: addRotate })]
  const token = await loggedIn(apps[0]!)
  const answers = await Promise.all([0, 1, 0, 1].map(i => rotate(apps[i]!, bearer(token))))
  const codes = answers.map(answer => answer.json().code).sort()
  t.strictSame(codes, [...Array.from({ length: 3 }, () => 'FST_RSP_SESSION_ROTATED'), undefined])
  const next = answers.find(answer => answer.statusCode === 200)!.json().token
  for (const app of apps) t.equal(await status(app, next), 200)
})

t.test('without a session, and on a route that reads none, there is nothing to rotate', async t => {
  const app = addRotate(addRoutes(await makeApp()))
  t.teardown(() => app.close())
  t.match((await app.inject({ method: 'POST', url: '/rotate', payload: [] })).json(), { statusCode: 401, code: 'FST_RSP_SESSION_REQUIRED' })
  const token = await loggedIn(app)
  t.match((await app.inject({ method: 'POST', url: '/off-rotate', headers: bearer(token) })).json(), { statusCode: 500, code: 'FST_RSP_SESSION_OFF' })
  const { token: next } = (await rotate(app, bearer(token))).json()
  t.strictSame(await rights(app, next), ['admin'], 'and in memory it does')
})

/** The session as it was, under the secret it had. */
async function unchanged (t: Test, app: FastifyInstance, token: string): Promise<void> {
  t.equal(await status(app, token), 200)
  t.equal((await app.sessions.list('ada')).length, 1)
}

t.test('while Redis or the durable store is away the secret stays, and the caller is told', async t => {
  const house = await openHouse(t)
  const app = await house.app({}, { routes: addRotate })
  const token = await loggedIn(app)
  await unchanged(t, app, token)
  app.watched.failure = new Error('down')
  t.match((await rotate(app, bearer(token))).json(), { statusCode: 503 })
  app.watched.failure = undefined
  await unchanged(t, app, token)
  house.server.freeze()
  t.match((await rotate(app, bearer(token))).json(), { statusCode: 503, code: 'FST_RSP_SESSION_STORE_DOWN' })
  house.server.thaw()
  await unchanged(t, app, token)
  t.equal([...(await copiesOf(house.client)).values()].filter(copy => copy['x'] !== undefined).length, 0)
})
