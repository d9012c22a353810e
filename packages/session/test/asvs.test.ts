import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { until } from '@respite/testing'
import type { SessionOptions } from '@respite/session'
import { optionsSchema, resolveOptions } from '../src/options.ts'
import { hashOf, newTag, Tokens } from '../src/token.ts'
import { makeApp } from './app.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from './shop.ts'

// Numbers are those of OWASP ASVS 5.0; docs/reference/asvs.md has a row for each of its requirements.

async function shop (t: Test, options: SessionOptions = {}): Promise<FastifyInstance> {
  const app = addRoutes(await makeApp(options))
  t.teardown(() => app.close())
  return app
}

const statuses = async (app: FastifyInstance, tokens: readonly string[]) => await Promise.all(tokens.map(token => status(app, token)))

t.test('V7.1.1: unless told otherwise a session idles out after 30 minutes, and ends 12 hours after the log-in', async t => {
  t.match(resolveOptions(undefined), { idle: 1_800_000, absolute: 43_200_000 })
  for (const name of ['idle', 'absolute'] as const) t.match(optionsSchema.properties[name].description, /ends/, 'and the reference says so')
})

t.test('V7.1.2: a user has one session unless told otherwise; beyond the most, the oldest ends or the log-in is refused', async t => {
  t.strictSame(resolveOptions(undefined).perUser, { max: 1, onExceed: 'replace' })
  const replacing = await shop(t)
  t.strictSame(await statuses(replacing, [await loggedIn(replacing), await loggedIn(replacing)]), [401, 200])
  const evicting = await shop(t, { perUser: { max: 2, onExceed: 'evict-oldest' } })
  t.strictSame(await statuses(evicting, [await loggedIn(evicting), await loggedIn(evicting), await loggedIn(evicting)]), [401, 200, 200])
  const rejecting = await shop(t, { perUser: { max: 1, onExceed: 'reject' } })
  const first = await loggedIn(rejecting)
  t.match((await rejecting.inject({ method: 'POST', url: '/login/ada', payload: {} })).json(), { statusCode: 409, code: 'FST_RSP_SESSION_LIMIT' })
  t.equal(await status(rejecting, first), 200)
})

t.test('V7.2.2: each log-in has a token of its own, and neither a secret of the app nor a public id opens a session', async t => {
  const secret = 'a secret of the app, 32 characters or more'
  const app = await shop(t, { secrets: [secret], perUser: { max: 9, onExceed: 'evict-oldest' } })
  const tokens = [await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  t.equal(new Set(tokens.map(token => token.split('.')[1])).size, 3)
  const { id } = (await app.sessions.list('ada'))[0]!
  t.strictSame(await statuses(app, [secret, id, 'ada']), [401, 401, 401])
})

t.test('V7.2.3: a token holds 256 bits that differ each time, none of which is fixed, and only their digest is kept', async t => {
  const tokens = new Tokens(['s'.repeat(32)], credential => credential)
  const ones = new Uint32Array(256)
  const seen = new Set<string>()
  for (let i = 0; i < 2_000; i++) {
    const { token, hash } = tokens.issue(newTag())
    const secret = token.split('.')[1]!
    t.equal(hash, hashOf(secret))
    seen.add(secret)
    const bytes = Buffer.from(secret, 'base64url')
    for (let bit = 0; bit < 256; bit++) ones[bit]! += (bytes[bit >> 3]! >> (bit & 7)) & 1
  }
  t.equal(seen.size, 2_000)
  // Eight standard deviations: never by chance.
  t.ok(ones.every(count => Math.abs(count - 1_000) < 8 * Math.sqrt(500)))
})

t.test('V7.2.4: to log in again gives a new token and a new id, and the token before opens nothing', async t => {
  const app = await shop(t, { perUser: { max: 5, onExceed: 'evict-oldest' } })
  const first = await app.inject({ method: 'POST', url: '/login/ada', payload: {} })
  const again = await app.inject({ method: 'POST', url: '/login/ada', payload: {}, headers: { cookie: cookieOf(first) } })
  t.not(cookieOf(first), cookieOf(again))
  t.not(first.json().id, again.json().id)
  const me = async (cookie: string) => (await app.inject({ url: '/me', headers: { cookie } })).statusCode
  t.strictSame([await me(cookieOf(first)), await me(cookieOf(again))], [401, 200])
  t.equal((await app.sessions.list('ada')).length, 1, 'although more than one may be active')
})

t.test('V7.3.1: a session that is not used ends, and one that is used goes on', async t => {
  const app = await shop(t, { idle: '3s', touchEvery: 0 })
  const [unused, used] = [await loggedIn(app), await loggedIn(app, 'bob')]
  const startMs = performance.now()
  await until('half as long again', async () => {
    t.equal(await status(app, used), 200)
    return performance.now() - startMs > 4_500
  })
  t.equal(await status(app, unused), 401)
})

t.test('V7.3.2: use does not carry a session beyond its absolute end', async t => {
  const app = await shop(t, { idle: '1s', absolute: '1s', touchEvery: 0 })
  const token = await loggedIn(app)
  await until('its end', async () => await status(app, token) === 401)
  t.strictSame(await app.sessions.list('ada'), [])
})

t.test('V7.4.2: all sessions of an account end at once', async t => {
  const app = await shop(t, { perUser: { max: 5, onExceed: 'evict-oldest' } })
  const tokens = [await loggedIn(app), await loggedIn(app), await loggedIn(app, 'bob')]
  t.equal((await app.sessions.revokeAll('ada')).ended.length, 2)
  t.strictSame(await statuses(app, tokens), [401, 401, 200])
})

t.test('V7.4.3: after a change of password all other sessions of the user end, and this one goes on', async t => {
  const app = await shop(t, { perUser: { max: 5, onExceed: 'evict-oldest' } })
  app.post('/password', { config: { session: 'required' } }, async request => await app.sessions.revoke({ userId: request.session.userId!, except: request.session.id! }))
  const tokens = [await loggedIn(app), await loggedIn(app), await loggedIn(app)]
  await app.inject({ method: 'POST', url: '/password', headers: bearer(tokens[1]!) })
  t.strictSame(await statuses(app, tokens), [401, 200, 401])
})

t.test('V7.5.1: a route with fresh refuses a log-in that is too old, however much it was used, and takes a new one', async t => {
  const app = await shop(t, { touchEvery: 0 })
  app.get('/email', { config: { session: { fresh: '500ms' } } }, async () => ({}))
  const token = await loggedIn(app)
  await until('it is too old', async () => (await app.inject({ url: '/email', headers: bearer(token) })).statusCode === 401)
  t.match((await app.inject({ url: '/email', headers: bearer(token) })).json(), { code: 'FST_RSP_SESSION_NOT_FRESH' })
  t.equal(await status(app, token), 200, 'other routes go on')
  t.equal((await app.inject({ url: '/email', headers: bearer(await loggedIn(app)) })).statusCode, 200)
})

t.test('V3.3.1: a cookie name that promises Secure or the host alone is refused without what it promises', async t => {
  for (const cookie of [{ secure: false }, { path: '/app' }, { domain: 'example.org' }, { name: '__Secure-sid', secure: false }, { name: 'sid', sameSite: 'none', secure: false }] as const) {
    await t.rejects(makeApp({ cookie }), { code: 'FST_RSP_SESSION_OPTIONS', message: /cookie\./ })
  }
})

t.test('V3.3.4: a token in a cookie is in no body and in no other header', async t => {
  const app = await shop(t)
  const login = await app.inject({ method: 'POST', url: '/login/ada', payload: {} })
  const cookie = cookieOf(login)
  const secret = cookie.split('.')[1]!
  const rest = ({ headers: { 'set-cookie': _, ...headers }, body }: typeof login) => JSON.stringify(headers) + body
  t.match(login.headers['set-cookie'], /; HttpOnly;/)
  t.notOk(rest(login).includes(secret))
  for (const url of ['/me', '/open', '/fields', '/fresh']) t.notOk(rest(await app.inject({ url, headers: { cookie } })).includes(secret))
})

t.test('V3.3.5: the longest cookie is far below 4096 bytes, whatever the session holds', async t => {
  const name = 'n'.repeat(100)
  const app = await shop(t, { cookie: { name, persistent: true } })
  const login = await app.inject({ method: 'POST', url: '/login/ada', payload: { data: { cart: 'x'.repeat(100_000) } } })
  t.ok(cookieOf(login).startsWith(`${name}=`))
  t.ok(Buffer.byteLength(String(login.headers['set-cookie'])) < 512)
  await t.rejects(makeApp({ cookie: { name: `${name}n` } }), { message: /cookie\.name/ })
})
