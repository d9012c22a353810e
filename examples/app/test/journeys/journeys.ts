import { until } from '@respite/testing'
import type { Test } from 'tap'
import { client } from './client.ts'

/** What a journey starts from. */
export interface Start {
  /** One server, or several that share everything. */
  urls: readonly string[]
}

const ada = { username: 'ada', password: 'correct horse' }
const wrong = '{"error":"Username or password was wrong!"}'

/** Signs up and logs in; a token that answers. */
export async function enter ({ urls }: Start, username: string, address: string): Promise<string> {
  const visitor = client(urls, address)
  await visitor.post('/signup', { ...ada, username })
  return (await visitor.post('/login', { ...ada, username })).json.sessionToken as string
}

/** What every composition of the app must do, told over HTTP. They run in this order, each from its own addresses. */
export const journeys: Record<string, (t: Test, start: Start) => Promise<void>> = {
  'signs up once a name': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.1')
    const first = await visitor.post('/signup', ada)
    t.match(first, { status: 200, text: '{}' })
    const second = await visitor.post('/signup', ada)
    t.match(second, { status: 400, text: '{"error":"Username already exists!"}' })
  },

  'logs in with the right password alone': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.2')
    t.match(await visitor.post('/login', { ...ada, password: 'wrong' }), { status: 401, text: wrong })
    t.match(await visitor.post('/login', { ...ada, username: 'nobody' }), { status: 401, text: wrong })
    const right = await visitor.post('/login', ada)
    t.equal(right.status, 200)
    t.match(right.text, /^\{"sessionToken":"[\w.-]{40,}"\}$/)
    t.equal(right.headers.get('cache-control'), 'no-store')
  },

  'ends the earlier session when the user logs in again': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.3')
    const login = async () => (await visitor.post('/login', ada)).json.sessionToken as string
    const [first, second] = [await login(), await login()]
    for (const answer of await visitor.as(first).all('/sessions')) t.equal(answer.status, 401)
    for (const answer of await visitor.as(second).all('/sessions')) t.equal(answer.status, 200)
  },

  'shows and ends one\'s own sessions': async (t, { urls }) => {
    const user = client(urls, '192.0.2.4').as(await enter({ urls }, 'grace', '192.0.2.4'))
    const { json } = await user.get('/sessions')
    t.match(json, { sessions: [{ id: String, current: true }] })
    t.equal(json.sessions.length, 1)
    t.equal((await user.delete('/sessions/unknown')).status, 404)
    t.match(await user.delete(`/sessions/${json.sessions[0].id}`), { status: 200, text: '{}' })
    for (const answer of await user.all('/sessions')) t.equal(answer.status, 401)
  },

  'cannot end another user\'s session': async (t, { urls }) => {
    const mallory = client(urls, '192.0.2.5').as(await enter({ urls }, 'mallory', '192.0.2.5'))
    const victim = client(urls, '192.0.2.5').as(await enter({ urls }, 'victim', '192.0.2.5'))
    const { id } = (await victim.get('/sessions')).json.sessions[0]
    t.equal((await mallory.delete(`/sessions/${id}`)).status, 404)
    t.equal((await victim.get('/sessions')).status, 200)
  },

  'logs out': async (t, { urls }) => {
    const user = client(urls, '192.0.2.6').as(await enter({ urls }, 'barbara', '192.0.2.6'))
    t.match(await user.post('/logout'), { status: 200, text: '{}' })
    for (const answer of await user.all('/ping')) t.equal(answer.status, 401)
    t.equal((await user.post('/logout')).status, 401)
  },

  'refuses who has no session, or a forged one': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.7')
    for (const path of ['/ping', '/sessions']) t.equal((await visitor.get(path)).status, 401)
    t.equal((await visitor.post('/logout')).status, 401)
    for (const forged of ['x', 'a.b.c', `${'A'.repeat(22)}.${'B'.repeat(43)}.${'C'.repeat(43)}`]) t.equal((await visitor.as(forged).get('/ping')).status, 401, forged)
  },

  'limits log-ins to 5 and sign-ups to 20 a minute, an address at a time': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.8')
    const logins = []
    for (let i = 0; i < 6; i++) logins.push((await visitor.post('/login', { ...ada, password: 'wrong' })).status)
    t.same(logins, [401, 401, 401, 401, 401, 429])
    t.equal((await client(urls, '192.0.2.9').post('/login', { ...ada, password: 'wrong' })).status, 401)
    const signups = []
    for (let i = 0; i < 21; i++) signups.push((await visitor.post('/signup', ada)).status)
    t.same(signups, [...Array.from({ length: 20 }, () => 400), 429])
  },

  'pings once in 5 s, a user at a time, and counts what it let through': async (t, { urls }) => {
    const before = (await client(urls, '192.0.2.10').get('/count')).json.estimatedCount as number
    const [lin, mae] = [client(urls, '192.0.2.10').as(await enter({ urls }, 'lin', '192.0.2.10')), client(urls, '192.0.2.10').as(await enter({ urls }, 'mae', '192.0.2.10'))]
    t.match(await lin.get('/ping'), { status: 200, text: '{}' })
    const refused = await lin.get('/ping')
    t.match(refused, { status: 429, text: '{"error":"Rate limit exceeded in 5s period 1 time calling ping API!"}' })
    t.match(Number(refused.headers.get('retry-after')), 5)
    t.equal(refused.headers.get('ratelimit-policy'), '"ping-5s";q=1;w=5, "ping-minute";q=2;w=60')
    t.match(refused.headers.get('ratelimit'), /^"ping-5s";r=0;t=[45], "ping-minute";r=1;t=(59|60)$/)
    t.match(await mae.get('/ping'), { status: 200, text: '{}' })
    // Counts leave the process that made them within 50 ms.
    const counted = async () => (await lin.all('/count')).every(answer => answer.text === `{"estimatedCount":${before + 2}}`)
    await until('both users to be counted', counted)
    const { topUsersCallingAPIAllTime: top } = (await lin.get('/top')).json
    t.equal(top.length, before + 2)
    for (const line of top) t.match(line, /^CallingPingAPI userID:\d+ called \d+ times$/)
  },

  'answers the weather from the cache': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.11')
    const path = '/weather?lat=52&lon=13&mock=true'
    const first = await visitor.get(path)
    t.equal(first.status, 200)
    t.equal(first.headers.get('x-cache'), 'MISS')
    t.match(first.json, { latitude: 52, longitude: 13, temperatureC: Number })
    for (const next of await visitor.all(path)) {
      t.equal(next.headers.get('x-cache'), 'HIT')
      t.equal(next.text, first.text)
    }
    const page = await visitor.get(path, { accept: 'text/html' })
    t.match(page.headers.get('content-type'), 'text/html')
    t.match(page.text, /<h1>Weather at 52, 13<\/h1>/)
    const anew = await visitor.get(`${path}&cache=false`)
    t.equal(anew.headers.get('x-cache'), 'BYPASS')
    t.not(anew.json.observedAt, first.json.observedAt, 'asked anew')
    t.equal((await visitor.get(path)).text, first.text, 'and not kept')
    t.match(await visitor.get('/weather?lat=52&lon=13&cache=false'), { status: 400, text: '{"error":"cache=false is for mock=true only"}' })
    t.equal((await visitor.get('/weather?lat=91&lon=13')).status, 400)
    t.equal((await visitor.get('/weather?lat=52')).status, 400)
  },

  'says 502 when the weather service cannot be reached': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.12')
    const answer = await visitor.get('/weather?lat=1&lon=2')
    t.match(answer, { status: 502, json: { statusCode: 502, error: 'Bad Gateway', message: /^the weather service could not be reached: ECONNREFUSED/ } })
    for (const one of await Promise.all(Array.from({ length: 10 }, () => visitor.get('/weather?lat=3&lon=4')))) t.equal(one.status, 502)
  },

  'writes, lists, changes and deletes entries, and nobody sees an old one': async (t, { urls }) => {
    const writer = client(urls, '192.0.2.13')
    const all = async () => {
      const pages = (await writer.all('/entries?size=2')).map(answer => answer.text)
      t.equal(new Set(pages).size, 1, 'every server answers the same')
      return JSON.parse(pages[0]!)
    }
    t.same(await all(), { entries: [], page: 1, size: 2, total: 0 })
    const created = await writer.post('/entries', { title: 'one', content: 'first' })
    t.match(created, { status: 201, json: { id: 1, title: 'one', content: 'first' } })
    t.equal(created.headers.get('location'), '/entries/1')
    for (const title of ['two', 'three']) await writer.post('/entries', { title, content: '' })
    t.match(await all(), { entries: [{ title: 'three' }, { title: 'two' }], total: 3 })
    t.match((await writer.get('/entries?size=2&page=2')).json, { entries: [{ title: 'one' }], page: 2 })
    for (const answer of await writer.all('/entries/1')) t.match(answer.json, { title: 'one' })
    t.match(await writer.put('/entries/1', { title: 'uno', content: 'changed' }), { status: 200, json: { id: 1, title: 'uno' } })
    for (const answer of await writer.all('/entries/1')) t.match(answer.json, { title: 'uno', content: 'changed' })
    t.match((await writer.get('/entries?size=2&page=2')).json, { entries: [{ title: 'uno' }] })
    t.match(await writer.delete('/entries/1'), { status: 204, text: '' })
    for (const answer of await writer.all('/entries/1')) t.match(answer, { status: 404, text: '{"error":"No such entry!"}' })
    t.match(await all(), { total: 2 })
    for (const [method, path] of [['delete', '/entries/1'], ['get', '/entries/2147483647']] as const) t.equal((await writer[method](path)).status, 404)
    t.equal((await writer.put('/entries/1', { title: 'x', content: '' })).status, 404)
    for (const path of ['/entries/0', '/entries/x', '/entries/2147483648', '/entries?size=101', '/entries?page=0']) t.equal((await writer.get(path)).status, 400, path)
  },

  'tells which copy of an entry a server has, and where it lay': async (t, { urls }) => {
    const reader = client(urls, '192.0.2.19')
    const { id } = (await reader.post('/entries', { title: 'copied', content: 'one' })).json
    const copies = async (query = '') => (await reader.all(`/entries/${id}/copy${query}`)).map(answer => answer.json)
    t.match((await copies())[0], { from: 'database', ageMs: 0, entry: { id, content: 'one' } })
    // A read that overlaps a message from the store keeps no copy: the next one does.
    await until('every server to have a copy of its own', async () => (await copies()).every(({ from }) => from === 'l1'))
    t.equal(new Set((await copies()).map(({ instance }) => instance)).size, urls.length, 'each by its name')
    for (const copy of await copies('?local=false')) t.match(copy, { instance: String, from: 'l2', ageMs: Number, entry: { content: 'one' } })
    await reader.put(`/entries/${id}`, { title: 'copied', content: 'two' })
    await until('every server to show the change', async () => (await copies()).every(({ entry }) => entry.content === 'two'))
    t.equal((await reader.delete(`/entries/${id}`)).status, 204)
    for (const query of ['', '?local=false']) t.equal((await reader.get(`/entries/${id}/copy${query}`)).status, 404)
  },

  'limits entries to 100 a minute, an address at a time': async (t, { urls }) => {
    const reader = client(urls, '192.0.2.14')
    const answers = await Promise.all(Array.from({ length: 120 }, (_, i) => reader.get(i % 2 ? '/entries' : '/entries/2')))
    t.equal(answers.filter(answer => answer.status === 200).length, 100)
    const refused = answers.find(answer => answer.status === 429)!
    t.match(refused.json, { statusCode: 429, error: 'Too Many Requests', code: 'RATE_LIMITED' })
    t.equal((await client(urls, '192.0.2.15').get('/entries')).status, 200)
  },

  'answers 400 in Fastify\'s form to a body it cannot use': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.16')
    const bodies: Record<string, unknown> = {
      'not JSON': '{"username":',
      'no body': undefined,
      empty: '',
      'a field is missing': { username: 'ada' },
      'a field is empty': { username: '', password: 'x' },
      'a control character': { username: 'a\u0000b', password: 'x' },
      'too large': { username: 'ada', password: 'x'.repeat(100_000) },
      'a prototype': '{"__proto__":{"x":1},"username":"a","password":"b"}'
    }
    for (const [what, body] of Object.entries(bodies)) {
      t.match(await visitor.post('/signup', body), { status: 400, json: { statusCode: 400, error: 'Bad Request', message: String } }, what)
    }
    const form = await fetch(`${urls[0]}/signup`, { method: 'POST', body: new URLSearchParams(ada) })
    t.match([form.status, await form.json()], [400, { statusCode: 400, error: 'Bad Request' }], 'a form')
    t.equal((await client(urls, '192.0.2.17').post('/entries', { title: 'nul', content: '\u0000' })).status, 400)
  },

  'tells its health, its metrics and its routes': async (t, { urls }) => {
    const visitor = client(urls, '192.0.2.18')
    t.match(await visitor.get('/health'), { status: 200, json: { status: 'ok', parts: { database: { status: 'ok' } } } })
    const { text } = await visitor.get('/metrics')
    for (const name of ['cache_hits_total', 'rate_limit_decisions_total', 'session_events_total', 'tracking_events_total', 'process_cpu_seconds_total']) t.match(text, name)
    const { json } = await visitor.get('/docs/json')
    const paths = ['/', '/count', '/dashboard', '/dashboard/events', '/dashboard/session', '/dashboard/sign-out', '/entries', '/entries/{id}', '/entries/{id}/copy', '/health', '/login', '/logout', '/metrics', '/ping', '/routes', '/sessions', '/sessions/{id}', '/signup', '/top', '/weather']
    t.same(Object.keys(json.paths).sort(), paths)
    const docs = await visitor.get('/docs/')
    t.match(docs, { status: 200, text: /swagger-ui/ })
    t.notMatch(docs.text, /(src|href)="https?:/, 'nothing is fetched from elsewhere')
    const list = await visitor.get('/routes')
    for (const path of paths.filter(path => path !== '/routes')) t.match(list.text, ` ${path.replace('{id}', ':id')}</dt>`)
    t.notMatch(list.text, /<pre>(?!curl |http)/, 'a page has its address, everything else a curl')
    t.match(await visitor.get('/'), { status: 200, text: /Battle Mode/ })
  }
}
