import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import { systemClock } from '@respite/redis'
import { startPostgres } from '@respite/testing'
import { postgresStore, type SessionOptions, type SessionStore, sqliteStore } from '@respite/session'
import { makeApp } from './app.ts'
import { callsOf, openHouse, type TestHouse } from './redis/house.ts'
import { addRoutes, bearer, cookieOf, loggedIn, status } from './shop.ts'
import type { WatchedStore } from './watched-store.ts'

type WatchedApp = FastifyInstance & { watched: WatchedStore }

/** What has been asked of the durable store and of Redis; a process' own poll is not a request's. */
async function askedOf (house: TestHouse, { watched }: WatchedApp): Promise<readonly [queries: number, scripts: number]> {
  const queries = [...watched.calls].reduce((sum, [name, n]) => name === 'pending' || name === 'purge' ? sum : sum + n, 0)
  return [queries, await callsOf(house.client, 'evalsha') + await callsOf(house.client, 'eval')]
}

/** What a token may be instead of one of ours. */
function forgeries (token: string, other: string): Record<string, string> {
  const [tag, secret, mac] = token.split('.') as [string, string, string]
  const [otherTag, otherSecret, otherMac] = other.split('.') as [string, string, string]
  return {
    'an empty one': '',
    'one character': 'a',
    'a megabyte': 'x'.repeat(1_048_576),
    'a megabyte that begins as one of ours': token.padEnd(1_048_576, 'x'),
    'one of another version': `v2.${token}`,
    'one without its mac': `${tag}.${secret}`,
    'one with an empty mac': `${tag}.${secret}.`,
    'one with a mac of zeros': `${tag}.${secret}.${'A'.repeat(43)}`,
    'one whose mac is another\'s': `${tag}.${secret}.${otherMac}`,
    'one under another user\'s tag': `${otherTag}.${secret}.${mac}`,
    'one with another user\'s secret': `${tag}.${otherSecret}.${mac}`,
    'one with a character more': `${token}A`,
    'one with another last character': token.replace(/.$/, last => last === 'A' ? 'B' : 'A'),
    'one in capitals': token.toUpperCase(),
    'one in percent-encoding': token.replaceAll('.', '%2E'),
    'one with a letter that is none of base64url': token.replace(/^./, 'ä'),
    'one in quotes': `"${token}"`,
    'one twice': `${token}${token}`,
    'a list of two': `${token},${other}`
  }
}

t.test('a token that is not ours is nobody\'s, in the header and in the cookie: no error, no cookie, no query and no command', async t => {
  const house = await openHouse(t)
  const app = await house.app() as WatchedApp
  const [token, other] = [await loggedIn(app), await loggedIn(app, 'bob')]
  const before = await askedOf(house, app)
  for (const [what, forged] of Object.entries(forgeries(token, other))) {
    for (const headers of [bearer(forged), { cookie: `__Host-sid=${forged}` }] as Record<string, string>[]) {
      t.match((await app.inject({ url: '/me', headers })).json(), { statusCode: 401, code: 'FST_RSP_SESSION_REQUIRED' }, what)
      const open = await app.inject({ url: '/open', headers })
      t.strictSame([open.json(), open.headers['set-cookie']], [{ user: null, cart: null }, undefined], what)
    }
  }
  t.strictSame(await askedOf(house, app), before)
  t.strictSame([await status(app, token), await status(app, other)], [200, 200], 'the sessions are as they were')
})

t.test('a token in header and cookie: the header decides, also when it is wrong; two cookies of the name with different values are none', async t => {
  const house = await openHouse(t)
  const app = await house.app() as WatchedApp
  const [ada, bob] = [await loggedIn(app), await loggedIn(app, 'bob')]
  const user = async (headers: Record<string, string>) => (await app.inject({ url: '/open', headers })).json().user
  t.equal(await user({ ...bearer(ada), cookie: `__Host-sid=${bob}` }), 'ada')
  t.equal(await user({ cookie: `__Host-sid=${ada}; __Host-sid=${ada}` }), 'ada', 'the same twice is one')
  const before = await askedOf(house, app)
  t.equal(await user({ ...bearer(ada.replace(/.$/, last => last === 'A' ? 'B' : 'A')), cookie: `__Host-sid=${bob}` }), null)
  for (const cookie of [`__Host-sid=${ada}; __Host-sid=${bob}`, `__Host-sid=; __Host-sid=${ada}`, `__Host-sid=${ada};__Host-sid=planted`, `__host-sid=${ada}`, `x__Host-sid=${ada}`, `a="; __Host-sid" =${ada}`]) {
    t.equal(await user({ cookie }), null, cookie.slice(0, 30))
  }
  t.strictSame(await askedOf(house, app), before)
})

const cyclic: Record<string, unknown> = {}
cyclic.self = cyclic
const values: Record<string, [code: string, value: unknown, name?: string]> = {
  'a cycle': ['FST_RSP_SESSION_NOT_SERIALISABLE', cyclic],
  'a BigInt': ['FST_RSP_SESSION_NOT_SERIALISABLE', { amount: 1n }],
  'a function': ['FST_RSP_SESSION_NOT_SERIALISABLE', () => 1],
  'a symbol': ['FST_RSP_SESSION_NOT_SERIALISABLE', Symbol('a')],
  'what throws when it is written': ['FST_RSP_SESSION_NOT_SERIALISABLE', { toJSON () { throw new TypeError('no') } }],
  'a text over the bound': ['FST_RSP_SESSION_TOO_LARGE', 'x'.repeat(2_000)],
  'a text over the bound in bytes alone': ['FST_RSP_SESSION_TOO_LARGE', '€'.repeat(400)],
  'a name of nothing': ['FST_RSP_SESSION_FIELD_INVALID', 1, ''],
  'a name of 201 characters': ['FST_RSP_SESSION_FIELD_INVALID', 1, 'n'.repeat(201)],
  'a name with NUL': ['FST_RSP_SESSION_FIELD_INVALID', 1, 'a\0b'],
  'a name of half a character': ['FST_RSP_SESSION_FIELD_INVALID', 1, '\ud800']
}

t.test('data that cannot be kept is an error to the caller that does not show the value, nothing is written, and the session is as it was', async t => {
  const house = await openHouse(t)
  const app = await house.app({ maxDataBytes: 1_024 }, {
    routes: app => {
      app.post<{ Querystring: { what: string } }>('/set', async request => {
        const [, value, name = 'field'] = values[request.query.what]!
        request.session.set(name, value)
      })
      app.post<{ Querystring: { what: string } }>('/login-with', async (request, reply) => {
        const [, value, name = 'field'] = values[request.query.what]!
        return await reply.login('bob', { data: { [name]: value } })
      })
    }
  }) as WatchedApp
  const token = await loggedIn(app, 'ada', { kept: 'tea' })
  for (const [what, [code]] of Object.entries(values)) {
    for (const path of ['/set', '/login-with']) {
      const answer = await app.inject({ method: 'POST', url: `${path}?what=${encodeURIComponent(what)}`, headers: bearer(token) })
      t.match(answer.json(), { statusCode: 500, code }, `${path}: ${what}`)
      t.notMatch(answer.body, /xxxx|€€/)
      t.equal(answer.headers['set-cookie'], undefined)
    }
  }
  t.equal(app.watched.count('save'), 0)
  t.strictSame(await app.sessions.list('bob'), [])
  t.strictSame((await app.inject({ url: '/fields', headers: bearer(token) })).json(), { kept: 'tea' })
})

t.test('what a handler had set before it failed is saved, as with any other answer', async t => {
  const app = addRoutes(await makeApp())
  t.teardown(() => app.close())
  app.post('/half', async request => {
    request.session.set('attempts', 1)
    request.session.set('amount', 1n)
  })
  const token = await loggedIn(app)
  t.equal((await app.inject({ method: 'POST', url: '/half', headers: bearer(token) })).statusCode, 500)
  t.strictSame((await app.inject({ url: '/fields', headers: bearer(token) })).json(), { attempts: 1 })
})

t.test('saves that fit alone and not together: the second is refused, the first is kept', async t => {
  const house = await openHouse(t)
  const app = await house.app({ maxDataBytes: 1_024 })
  const token = await loggedIn(app)
  const save = async (name: string) => (await app.inject({ method: 'POST', url: `/field/${name}`, payload: { text: 'x'.repeat(600) }, headers: bearer(token) })).json().code
  t.strictSame((await Promise.all([save('a'), save('b')])).sort(), ['FST_RSP_SESSION_TOO_LARGE', undefined])
  t.equal(Object.keys((await app.inject({ url: '/fields', headers: bearer(token) })).json()).length, 1)
})

t.test('names that objects have by themselves are names like others', async t => {
  const app = addRoutes(await makeApp())
  t.teardown(() => app.close())
  app.get('/proto', async request => [request.session.get('__proto__'), request.session.get('valueOf') ?? null, ({} as { is?: string }).is ?? null])
  const token = await loggedIn(app)
  for (const name of ['__proto__', 'constructor', 'toString', 'f:a', 'i', 'o', 'x']) {
    t.equal((await app.inject({ method: 'POST', url: `/field/${name}`, payload: { is: name }, headers: bearer(token) })).statusCode, 200)
  }
  t.strictSame((await app.inject({ url: '/proto', headers: bearer(token) })).json(), [{ is: '__proto__' }, null, null])
  t.equal(await status(app, token), 200)
})

t.test('a user id that is none is refused, whoever asks, and nobody is logged in', async t => {
  const house = await openHouse(t)
  const app = await house.app() as WatchedApp
  const before = await askedOf(house, app)
  for (const id of ['', 'u'.repeat(192), 'a\0b', '\udc00', undefined, null, 7, { toString: () => 'ada' }, ['ada']]) {
    const calls: (() => Promise<unknown>)[] = [() => app.sessions.login(id as string), () => app.sessions.revokeAll(id as string), () => app.sessions.list(id as string)]
    for (const call of calls) {
      await t.rejects(call(), { code: 'FST_RSP_SESSION_USER_INVALID' })
    }
  }
  t.strictSame(await askedOf(house, app), before)
})

const injected = 'a\r\nset-cookie: x=1'
for (const [what, options] of Object.entries({
  'cookie.name': [{ name: injected }, { name: 'a;b' }, { name: 'a=b' }, { name: '' }, { name: 'a\n' }, { name: 'ä' }],
  'cookie.path': [{ name: 'sid', path: `/${injected}` }, { name: 'sid', path: '/; domain=evil.example' }, { name: 'sid', path: '' }, { name: 'sid', path: '/\n' }],
  'cookie.domain': [{ name: 'sid', domain: injected }, { name: 'sid', domain: 'a; secure' }, { name: 'sid', domain: 'a\n' }, { name: 'sid', domain: '' }],
  'cookie.sameSite': [{ sameSite: 'lax; domain=a' as 'lax' }]
} satisfies Record<string, SessionOptions['cookie'][]>)) {
  t.test(`${what} that would write another header or attribute fails the boot, which names it`, async t => {
    for (const cookie of options) {
      await t.rejects(makeApp({ cookie }), { code: 'FST_RSP_OPTION_INVALID', message: new RegExp(`'${what}' must`) }, JSON.stringify(cookie))
    }
  })
}

t.test('what a client sends is in no Set-Cookie header', async t => {
  const app = addRoutes(await makeApp())
  t.teardown(() => app.close())
  const response = await app.inject({ method: 'POST', url: `/login/${encodeURIComponent(injected)}`, payload: { data: { injected } }, headers: { cookie: '__Host-sid=x%0d%0aset-cookie:%20x=1' } })
  t.match(cookieOf(response), /^__Host-sid=[\w.-]{110}$/)
  t.equal([response.headers['set-cookie']].flat().length, 1)
})

/** A store's tables as they may be found. */
async function schemas (t: Test, open: () => SessionStore, query: (text: string) => Promise<unknown>): Promise<void> {
  const refused = async (message: RegExp) => {
    const store = open()
    await t.rejects(store.open({ migrate: false, clock: systemClock }), { code: 'FST_RSP_SESSION_SCHEMA', message })
    await store.close()
  }
  await refused(/is missing: run migration '1-sessions/)
  const store = open()
  await store.open({ migrate: true, clock: systemClock })
  await store.close()
  await query('DELETE FROM respite_session_schema WHERE version > 1')
  await refused(/is at version 1, this release needs 3: run migration '2-remembered-sessions/)
  await query('UPDATE respite_session_schema SET version = 99')
  await refused(/is at version 99, this release needs 3: run migration 'none: a newer release made it'/)
  await query('DELETE FROM respite_session_schema')
  await refused(/is missing: run migration '1-sessions/)
}

t.test('a durable schema that is missing, older or newer fails the boot, which names the migration: Postgres', async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  await schemas(t, () => postgresStore(postgres.pool), text => postgres.query(text))
})

t.test('the same of a file of SQLite', async t => {
  const { default: Database } = await import('libsql')
  const folder = mkdtempSync(join(tmpdir(), 'respite-schemas-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 's.db')
  await schemas(t, () => sqliteStore(file), async text => {
    const database = new Database(file)
    database.exec(text)
    database.close()
  })
})

t.test('an app whose durable schema is missing does not start', async t => {
  const postgres = await startPostgres()
  t.teardown(() => postgres.stop())
  const app = await makeApp({ secrets: ['s'.repeat(32)], durable: postgresStore(postgres.pool), migrate: false })
  await t.rejects(async () => await app.ready(), { code: 'FST_RSP_SESSION_SCHEMA', message: /1-sessions/ })
  await app.close()
})
