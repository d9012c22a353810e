import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import type { SessionOptions } from '@respite/session'
import { isVisitorTag, newTag, newVisitorTag } from '../src/token.ts'
import { makeApp } from './app.ts'
import { addRoutes, bearer, cookieOf, loggedIn } from './shop.ts'

/** An app with the routes that the tests call. */
async function shop (t: Test, options: SessionOptions = {}, server = {}): Promise<FastifyInstance> {
  const app = addRoutes(await makeApp(options, { server }))
  t.teardown(() => app.close())
  return app
}

t.test('logs in by cookie, answers by it, and logs out', async t => {
  const app = await shop(t)
  const response = await app.inject({ method: 'POST', url: '/login/ada' })
  t.match(response.headers, { 'set-cookie': /^__Host-sid=[\w-]{22}\.[\w-]{43}\.[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/, 'cache-control': 'no-store' })
  t.same(Object.keys(response.json()), ['id'], 'the token is in the cookie alone')
  const cookie = cookieOf(response)
  t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ada', id: response.json().id })
  const out = await app.inject({ method: 'POST', url: '/logout', headers: { cookie } })
  t.match(out.headers['set-cookie'], /^__Host-sid=; Max-Age=0; Path=\/; HttpOnly; Secure/)
  t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 401)
})

t.test('logs in by bearer token', async t => {
  const app = await shop(t)
  const response = await app.inject({ method: 'POST', url: '/login/ada', payload: { transport: 'bearer' } })
  t.equal(response.headers['set-cookie'], undefined)
  const { token } = response.json()
  t.equal((await app.inject({ url: '/me', headers: bearer(token) })).json().user, 'ada')
  await app.inject({ method: 'POST', url: '/logout', headers: bearer(token) })
  const refused = await app.inject({ url: '/me', headers: bearer(token) })
  t.match(refused.json(), { statusCode: 401, code: 'FST_RSP_SESSION_REQUIRED' })
  t.equal(refused.headers['www-authenticate'], 'Bearer')
})

t.test('a visitor costs no I/O and gets no cookie', async t => {
  const app = await shop(t)
  const response = await app.inject('/open')
  t.same(response.json(), { user: null, cart: null })
  t.equal(response.headers['set-cookie'], undefined)
})

t.test('the second login ends the first, and is told', async t => {
  const app = await shop(t)
  const told: string[] = []
  for (const name of ['created', 'revoked'] as const) app.sessions.on(name, event => told.push(`${name} ${event.userId}`))
  const first = await loggedIn(app)
  const second = await loggedIn(app)
  t.equal((await app.inject({ url: '/me', headers: bearer(first) })).statusCode, 401)
  t.equal((await app.inject({ url: '/me', headers: bearer(second) })).statusCode, 200)
  t.same(told, ['created ada', 'created ada', 'revoked ada'])
})

t.test('keeps fields, deletes them, and gives a visitor a session with the first one', async t => {
  const app = await shop(t)
  const response = await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] })
  t.same(response.json().names, ['cart'])
  const cookie = cookieOf(response)
  t.same((await app.inject({ url: '/open', headers: { cookie } })).json(), { user: null, cart: ['tea'] })
  t.equal((await app.inject({ url: '/me', headers: { cookie } })).statusCode, 401, 'a visitor is not logged in')
  const again = await app.inject({ method: 'POST', url: '/cart', payload: ['tea'], headers: { cookie } })
  t.equal(again.headers['set-cookie'], undefined)
  await app.inject({ method: 'DELETE', url: '/cart', headers: { cookie } })
  t.same((await app.inject({ url: '/open', headers: { cookie } })).json(), { user: null, cart: null })
})

t.test('a login gives a new id, ends the visitor\'s session, and carries over only what is named', async t => {
  const app = await shop(t)
  const visitor = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  const bare = await app.inject({ method: 'POST', url: '/login/ada', headers: { cookie: visitor } })
  t.same((await app.inject({ url: '/open', headers: { cookie: cookieOf(bare) } })).json(), { user: 'ada', cart: null })
  t.equal((await app.inject({ url: '/open', headers: { cookie: visitor } })).json().cart, null)
  const other = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['milk'] }))
  const carried = await app.inject({ method: 'POST', url: '/login/bob', payload: { carry: ['cart', 'none'], data: { theme: 'dark' } }, headers: { cookie: other } })
  t.same((await app.inject({ url: '/open', headers: { cookie: cookieOf(carried) } })).json(), { user: 'bob', cart: ['milk'] })
})

t.test('another user\'s login on the same browser ends the session there was', async t => {
  const app = await shop(t)
  const ada = cookieOf(await app.inject({ method: 'POST', url: '/login/ada' }))
  await app.inject({ method: 'POST', url: '/login/bob', headers: { cookie: ada } })
  t.equal((await app.inject({ url: '/me', headers: { cookie: ada } })).statusCode, 401)
})

t.test('T7: planted, unknown, expired and foreign tokens are never adopted', async t => {
  const app = await shop(t)
  const token = await loggedIn(app)
  const [tag, secret, mac] = token.split('.') as [string, string, string]
  const other = await loggedIn(app, 'bob')
  const forgeries = [
    '', 'a', 'x'.repeat(1_000_000), `${tag}.${secret}`, `${tag}.${secret}.${mac.slice(1)}A`, `${other.split('.')[0]}.${secret}.${mac}`,
    `${tag}.${other.split('.')[1]}.${mac}`, `v2.${token}`, `${token}.`, token.replace(/.$/, c => c === 'A' ? 'B' : 'A')
  ]
  for (const forged of forgeries) {
    t.equal((await app.inject({ url: '/me', headers: bearer(forged) })).statusCode, 401, forged.slice(0, 20))
    const response = await app.inject({ url: '/open', headers: { cookie: `__Host-sid=${forged.slice(0, 200)}` } })
    t.same(response.json(), { user: null, cart: null })
    t.equal(response.headers['set-cookie'], undefined)
  }
  t.equal((await app.inject({ url: '/me', headers: bearer(token) })).statusCode, 200)
})

t.test('the header decides over the cookie, and two cookies of one name are none', async t => {
  const app = await shop(t, { perUser: { max: 5, onExceed: 'evict-oldest' } })
  const [ada, bob] = [await loggedIn(app), await loggedIn(app, 'bob')]
  const me = async (headers: Record<string, string>) => (await app.inject({ url: '/open', headers })).json().user
  t.equal(await me({ ...bearer(ada), cookie: `__Host-sid=${bob}` }), 'ada')
  t.equal(await me({ ...bearer(ada.replace(/.$/, '_')), cookie: `__Host-sid=${bob}` }), null)
  t.equal(await me({ authorization: 'Bearer api-key', cookie: `__Host-sid=${bob}` }), 'bob')
  t.equal(await me({ cookie: `__Host-sid=${ada}; __Host-sid=${bob}` }), null)
  t.equal(await me({ cookie: `a=1;__Host-sid=${ada} ; x__Host-sid=${bob}` }), 'ada')
})

t.test('an unsafe method with a cookie from another origin is refused', async t => {
  const app = await shop(t, { csrf: { origins: ['https://app.example.org'] } })
  const cookie = cookieOf(await app.inject({ method: 'POST', url: '/login/ada' }))
  const post = async (headers: Record<string, string>) => (await app.inject({ method: 'POST', url: '/cart', payload: [1], headers: { host: 'shop.example.org', ...headers } })).statusCode
  t.equal(await post({ cookie, origin: 'https://shop.example.org' }), 200)
  t.equal(await post({ cookie, origin: 'https://app.example.org' }), 200)
  t.equal(await post({ cookie }), 200, 'no browser')
  t.equal(await post({ cookie, origin: 'https://evil.example.org' }), 403)
  t.equal(await post({ cookie, origin: 'null' }), 403)
  t.equal(await post({ cookie, 'sec-fetch-site': 'cross-site' }), 403)
  t.equal(await post({ ...bearer(cookie.split('=')[1]!), origin: 'https://evil.example.org' }), 200, 'a bearer token is not sent by itself')
  const get = await app.inject({ url: '/me', headers: { cookie, host: 'shop.example.org', origin: 'https://evil.example.org' } })
  t.equal(get.statusCode, 200)
  const login = await app.inject({ method: 'POST', url: '/login/eve', headers: { host: 'shop.example.org', origin: 'https://evil.example.org' } })
  t.match(login.json(), { statusCode: 403, code: 'FST_RSP_SESSION_CROSS_ORIGIN' })
})

t.test('the answer that brings a bearer token is stored nowhere either', async t => {
  const app = await shop(t)
  const response = await app.inject({ method: 'POST', url: '/login/ada', payload: { transport: 'bearer' } })
  t.equal(response.headers['cache-control'], 'no-store')
})

t.test('a log-out on a route that reads no session is a fault of the app, and says so', async t => {
  const app = await shop(t)
  app.post('/off-logout', { config: { session: false } }, async (_, reply) => { await reply.logout(); return {} })
  const token = await loggedIn(app)
  t.match((await app.inject({ method: 'POST', url: '/off-logout', headers: bearer(token) })).json(), { statusCode: 500, code: 'FST_RSP_SESSION_OFF' })
})

t.test('a route with session: false reads nothing and cannot write', async t => {
  const app = await shop(t)
  const token = await loggedIn(app)
  t.same((await app.inject({ url: '/off', headers: bearer(token) })).json(), { user: null })
  t.match((await app.inject({ url: '/off-set', headers: bearer(token) })).json(), { code: 'FST_RSP_SESSION_OFF' })
})

t.test('a fresh route wants a recent log-in, and a senseless config is refused when the route is added', async t => {
  const app = await shop(t)
  app.get('/never-fresh', { config: { session: { fresh: 0 } } }, async () => ({}))
  const senseless = ['requird', true, null, {}, { fresh: 'soon' }, { fresh: '5m', required: true }]
  for (const session of senseless) t.throws(() => app.get('/typo', { config: { session: session as 'required' } }, async () => ({})), { message: /config\.session/ })
  t.throws(() => app.get('/typo', { config: { session: 'requird' as 'required' } }, async () => ({})), { code: 'FST_RSP_SESSION_ROUTE_INVALID', message: /GET \/typo.*requird/ })
  const token = await loggedIn(app)
  t.equal((await app.inject({ url: '/fresh', headers: bearer(token) })).statusCode, 200)
  t.equal((await app.inject({ url: '/fresh' })).statusCode, 401)
})

t.test('refuses data it cannot keep, and keeps the session as it was', async t => {
  const app = await shop(t, { maxDataBytes: 300 })
  app.post('/set', async request => {
    const cyclic: Record<string, unknown> = {}
    cyclic.self = cyclic
    const values: Record<string, unknown> = { cyclic, big: 1n, fn: () => 1, long: 'x'.repeat(400) }
    const { which, name = 'field' } = request.body as { which: string, name?: string }
    request.session.set(name, values[which] ?? 1)
    return {}
  })
  const token = await loggedIn(app)
  const set = async (payload: object) => (await app.inject({ method: 'POST', url: '/set', payload, headers: bearer(token) })).json().code
  for (const which of ['cyclic', 'big', 'fn']) t.equal(await set({ which }), 'FST_RSP_SESSION_NOT_SERIALISABLE')
  t.equal(await set({ which: 'long' }), 'FST_RSP_SESSION_TOO_LARGE')
  t.equal(await set({ which: 'ok', name: '' }), 'FST_RSP_SESSION_FIELD_INVALID')
  t.equal(await set({ which: 'ok', name: '__proto__' }), undefined)
  t.equal((await app.inject({ url: '/me', headers: bearer(token) })).statusCode, 200)
})

t.test('lists and revokes: one, another user\'s, the others, all', async t => {
  const app = await shop(t, { perUser: { max: 9, onExceed: 'evict-oldest' } })
  const tokens = [await loggedIn(app), await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  const alive = async () => (await Promise.all(tokens.map(async token => (await app.inject({ url: '/me', headers: bearer(token) })).statusCode)))
  const ids = (await app.sessions.list('ada')).map(info => info.id).reverse()
  t.same(await app.sessions.revoke({ id: ids[0]!, userId: 'bob' }), { ended: [] })
  t.same(await app.sessions.revoke({ id: ids[0]!, userId: 'ada' }), { ended: [ids[0]] })
  t.same(await app.sessions.revoke({ id: ids[1]! }), { ended: [ids[1]] })
  t.same(await alive(), [401, 401, 200, 200])
  t.same(await app.sessions.revoke({ userId: 'ada', except: ids[3]! }), { ended: [ids[2]] })
  t.same(await alive(), [401, 401, 401, 200])
  t.equal(await app.sessions.active(), 1)
  t.same(await app.sessions.revokeAll('ada'), { ended: [ids[3]] })
  t.same(await alive(), [401, 401, 401, 401])
  await t.rejects(app.sessions.list(''), { code: 'FST_RSP_SESSION_USER_INVALID' })
})

t.test('tells the other plugins who it is', async t => {
  const app = await shop(t)
  const identity = (app as unknown as { respite: import('@respite/redis').Respite }).respite.use('identity')
  app.get('/who', async request => ({ user: identity.userId(request), subject: identity.subject(request) }))
  const token = await loggedIn(app)
  t.same((await app.inject({ url: '/who', headers: bearer(token) })).json(), { user: 'ada', subject: token.split('.')[0] })
  t.same((await app.inject('/who')).json(), {})
  const visitor = cookieOf(await app.inject({ method: 'POST', url: '/cart', payload: ['tea'] }))
  t.same((await app.inject({ url: '/who', headers: { cookie: visitor } })).json(), {}, 'each cookie of a visitor would be somebody new')
})

t.test('the tags of users and of visitors never meet', async t => {
  for (let i = 0; i < 5_000; i++) {
    const [user, visitor] = [newTag(), newVisitorTag()]
    if (isVisitorTag(user) || !isVisitorTag(visitor) || !/^[\w-]{22}$/.test(user) || !/^[\w-]{22}$/.test(visitor)) t.fail(`${user} ${visitor}`)
  }
  t.not(newVisitorTag(), newVisitorTag())
})

t.test('holds tokens over a change of secrets', async t => {
  const { sqliteStore } = await import('@respite/session')
  const { mkdtempSync, rmSync } = await import('node:fs')
  const { tmpdir } = await import('node:os')
  const folder = mkdtempSync(`${tmpdir()}/respite-secrets-`)
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [old, fresh] = ['o'.repeat(32), 'f'.repeat(32)]
  const start = (secrets: string[]) => shop(t, { secrets, durable: sqliteStore(`${folder}/s.db`) })
  const token = await loggedIn(await start([old]))
  const me = async (secrets: string[]) => (await (await start(secrets)).inject({ url: '/me', headers: bearer(token) })).statusCode
  t.equal(await me([fresh, old]), 200)
  t.equal(await me([fresh]), 401)
})

t.test('refuses options that make no sense, without showing a secret', async t => {
  const refused = async (options: SessionOptions, expected: { code: string, message?: RegExp }) => t.rejects(makeApp(options), expected)
  await refused({ secrets: ['short-and-secret'] }, { code: 'FST_RSP_OPTION_INVALID', message: /^(?!.*short-and-secret).*secrets\[0\]/ })
  await refused({ secrets: 'not-in-an-array-and-long-enough-for-one' } as never, { code: 'FST_RSP_OPTION_INVALID', message: /^(?!.*long-enough).*'secrets' must be array, got a string of 39 characters/ })
  for (const durable of [new Map(), {}, []]) await refused({ durable, secrets: ['s'.repeat(32)] } as never, { code: 'FST_RSP_SESSION_OPTIONS', message: /durable must be a store such as postgresStore\(pool\), got a/ })
  await refused({ durable: 'redis' } as never, { code: 'FST_RSP_OPTION_INVALID', message: /'durable' must be 'none' or of type object, got 'redis'/ })
  await refused({ csrf: { origins: ['app.example.org'] } }, { code: 'FST_RSP_OPTION_INVALID', message: /'csrf\.origins\[0\]' must match pattern .* got 'app\.example\.org'/ })
  await refused({ csrf: { origin: [] } } as never, { code: 'FST_RSP_OPTION_INVALID', message: /'csrf\.origins?'/ })
  await refused({ idle: -1 } as never, { code: 'FST_RSP_OPTION_INVALID', message: /idle/ })
  await refused({ perUser: { max: 2 } }, { code: 'FST_RSP_SESSION_OPTIONS', message: /evict-oldest/ })
  await refused({ cookie: { secure: false } }, { code: 'FST_RSP_SESSION_OPTIONS', message: /__Host-sid/ })
  await refused({ touchEvery: '31m' }, { code: 'FST_RSP_SESSION_OPTIONS', message: /touchEvery/ })
  await refused({ nonsense: 1 } as never, { code: 'FST_RSP_OPTION_INVALID', message: /nonsense/ })
  const { sqliteStore } = await import('@respite/session')
  await refused({ durable: sqliteStore(':memory:') }, { code: 'FST_RSP_SESSION_SECRETS_MISSING' })
})
