import { Writable } from 'node:stream'
import t from 'tap'
import { until } from '@respite/testing'
import { bearer, cookieOf, loggedIn, status } from '../shop.ts'
import { openRedisHouse } from './house.ts'

t.test('a user sees and ends his sessions, others and all; an admin one by its id', async t => {
  const house = await openRedisHouse(t)
  const [here, there] = [await house.app({ perUser: { max: 3, onExceed: 'evict-oldest' } }), await house.app({ perUser: { max: 3, onExceed: 'reject' } })]
  const tokens: string[] = []
  for (let i = 0; i < 4; i++) tokens.push(await loggedIn(here))
  const codes = (app = there) => Promise.all(tokens.map(token => status(app, token)))
  t.strictSame(await codes(), [401, 200, 200, 200])
  t.match((await there.inject({ method: 'POST', url: '/login/ada', payload: {} })).json(), { statusCode: 409, code: 'FST_RSP_SESSION_LIMIT' })
  t.strictSame(await codes(here), [401, 200, 200, 200])
  await until('those that ended or were refused to leave nothing', async () => (await house.client.keys('*session-place:*')).length === 3)
  const listed = await there.sessions.list('ada')
  t.strictSame(listed.map(info => info.userId), ['ada', 'ada', 'ada'])
  t.ok(listed[0]!.createdAt >= listed[1]!.createdAt)
  t.strictSame(await there.sessions.revoke({ id: listed[0]!.id, userId: 'bob' }), { ended: [] })
  t.strictSame(await there.sessions.revoke({ id: listed[0]!.id }), { ended: [listed[0]!.id] })
  t.strictSame(await codes(here), [401, 200, 200, 401])
  t.strictSame(await here.sessions.revoke({ userId: 'ada', except: listed[1]!.id }), { ended: [listed[2]!.id] })
  t.strictSame(await codes(), [401, 401, 200, 401])
  t.equal((await there.sessions.revokeAll('ada')).ended.length, 1)
  t.strictSame(await codes(here), [401, 401, 401, 401])
})

t.test('a visitor\'s cart goes along where the log-in names it, and his session ends', async t => {
  const house = await openRedisHouse(t)
  const [here, there] = [await house.app(), await house.app()]
  const visitor = cookieOf(await here.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  t.strictSame((await there.inject({ url: '/open', headers: { cookie: visitor } })).json(), { user: null, cart: ['tea'] })
  const cookie = cookieOf(await there.inject({ method: 'POST', url: '/login/bob', headers: { cookie: visitor }, payload: { carry: ['cart'] } }))
  t.strictSame((await here.inject({ url: '/open', headers: { cookie } })).json(), { user: 'bob', cart: ['tea'] })
  await until('the end of the visitor\'s session', async () => (await here.inject({ url: '/open', headers: { cookie: visitor } })).json().cart === null)
  await here.inject({ method: 'POST', url: '/logout', headers: { cookie } })
  t.equal((await there.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
})

t.test('what a request sets after its log-in is in the new session', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app({}, {
    routes: app => app.post('/enter', async (request, reply) => {
      await reply.login('ada', { data: { theme: 'dark' } })
      request.session.set('cart', ['tea'])
      return {}
    })
  })
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/enter', payload: {} }))
  t.strictSame((await app.inject({ url: '/fields', headers: { cookie } })).json(), { theme: 'dark', cart: ['tea'] })
})

t.test('a session is prolonged while it is used, up to its absolute end, and idles out', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app({ idle: '2s', touchEvery: '100ms', absolute: '6s', rotateEvery: 0 })
  const used = await loggedIn(app)
  const idle = await loggedIn(app, 'bob')
  await until('the idle one to end', async () => await status(app, used) === 200 && (await app.sessions.list('bob')).length === 0)
  t.equal(await status(app, idle), 401)
  t.equal(await status(app, used), 200)
  await until('the absolute end', async () => await status(app, used) === 401)
  await until('all keys to be gone', async () => (await house.client.keys('*')).filter(key => key.includes('session')).length === 0)
})

t.test('a fresh route knows the age of the log-in, also after a rotation; how many are active nobody knows', async t => {
  const house = await openRedisHouse(t)
  const routes = (app: Awaited<ReturnType<typeof house.app>>) => {
    app.get('/now', { config: { session: { fresh: '5m' } } }, async () => ({}))
    app.get('/just', { config: { session: { fresh: '1s' } } }, async () => ({}))
  }
  const app = await house.app({ rotateEvery: '200ms', grace: '100ms' }, { routes })
  let cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada', payload: {} }))
  let rotations = 0
  await until('the log-in to be a second old', async () => {
    const answer = await app.inject({ url: '/just', headers: { cookie } })
    if (answer.headers['set-cookie'] !== undefined) {
      rotations++
      cookie = cookieOf(answer)
    }
    return answer.statusCode === 401 && answer.json().code === 'FST_RSP_SESSION_NOT_FRESH'
  })
  t.ok(rotations > 0)
  t.equal((await app.inject({ url: '/now', headers: { cookie } })).statusCode, 200)
  t.equal(await app.sessions.active(), undefined)
  t.notOk((await app.respite.metrics.read()).some(metric => metric.name.endsWith('session_active') && [...metric.entries()].length > 0))
})

t.test('a request that reads is one command, and those of a turn share it; a forged token costs none', async t => {
  const house = await openRedisHouse(t)
  const app = await house.app()
  const tokens: string[] = []
  for (let i = 0; i < 20; i++) tokens.push(await loggedIn(app, `user${i}`))
  const calls = async () => Number(/cmdstat_evalsha:calls=(\d+)/.exec(await house.client.info('commandstats'))?.[1] ?? 0)
  await status(app, tokens[0]!)
  const before = await calls()
  t.equal(await status(app, tokens[0]!), 200)
  t.equal(await calls() - before, 1)
  t.strictSame(new Set(await Promise.all(tokens.map(token => status(app, token)))), new Set([200]))
  t.ok(await calls() - before < 10)
  const after = await calls()
  t.equal(await status(app, `${tokens[0]!.slice(0, -1)}${tokens[0]!.endsWith('A') ? 'B' : 'A'}`), 401)
  t.equal(await calls(), after)
})

t.test('T8, T10: no token, secret or user id is in a key, log, error, event or message, and what is stored opens nothing', async t => {
  const house = await openRedisHouse(t)
  let written = ''
  const stream = new Writable({ write (chunk, _, done) { written += chunk; done() } })
  const app = await house.app({}, { server: { logger: { level: 'trace', stream } } })
  const told: unknown[] = []
  for (const name of ['created', 'renewed', 'revoked', 'lost', 'reuse'] as const) app.sessions.on(name, event => told.push(event.id))
  await app.respite.bus.subscribe('session.ended', value => { told.push(value) }, { ownMessages: true })
  const user = 'ada-lovelace-1815'
  const tokens = [await loggedIn(app, user, { note: 'a-secret-note' }), await loggedIn(app, user, { note: 'a-secret-note' })]
  const keys = await house.client.keys('*')
  const hashes = keys.filter(key => key.includes(':data:')).map(key => key.split(':').at(-1)!)
  for (const hash of hashes) t.equal(await status(app, [tokens[1]!.split('.')[0], hash, tokens[1]!.split('.')[2]].join('.')), 401)
  await house.server.kill()
  const errors = [(await app.inject({ url: '/me', headers: bearer(tokens[1]!) })).body, (await app.inject({ method: 'POST', url: '/logout', headers: bearer(tokens[1]!) })).body]
  const all = JSON.stringify([keys, errors, told]) + written.replaceAll(`/login/${user}`, '')
  t.ok(hashes.length > 0 && told.length > 0 && written.length > 1_000)
  for (const text of [user, 'a-secret-note', 'a test\'s secret']) t.notOk(all.includes(text), text)
  for (const token of tokens) for (const part of token.split('.').slice(1)) t.notOk(all.includes(part))
})
