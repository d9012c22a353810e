import { Readable } from 'node:stream'
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify'
import t from 'tap'
import { gate, until } from '@respite/testing'
import cache from '@respite/cache'
import redis from '@respite/redis'
import { assemble } from '../assemble.ts'
import { appInTime } from './app-in-time.ts'

const app = await assemble({})
t.teardown(() => app.close())

let runs = 0
const handler = async () => ({ runs: ++runs })

async function get (url: string, headers: Record<string, string> = {}) {
  const response = await app.inject({ url, headers })
  return { ...response, state: response.headers['x-cache'], body: response.body, headers: response.headers, status: response.statusCode }
}

/** The states of the same request, made three times. */
async function thrice (url: string, headers: Record<string, string> = {}) {
  const states = []
  for (let i = 0; i < 3; i++) states.push((await get(url, headers)).state)
  return states
}

app.addHook('onRequest', async (_, reply) => { reply.header('x-ratelimit-remaining', '5').header('x-request', String(Math.floor(performance.now()))).header('vary', 'Origin') })
app.get('/plain', { config: { cache: { ttl: '5m' } } }, handler)
app.get('/off', { config: { cache: false } }, handler)
app.get('/users/:id', { config: { cache: { ttl: '1m' } } }, async (request) => request.params)
app.get('/search', { config: { cache: { ttl: '5m', query: ['q'] } } }, async (request) => request.query)
app.get('/tagged', { config: { cache: { ttl: '5m', tags: ['news'] } } }, handler)
app.get('/mine', { config: { cache: { ttl: '5m', varyBy: request => request.headers['x-user'] as string | undefined } } }, async (request) => ({ user: request.headers['x-user'] ?? null }))
app.get('/negotiated', { config: { cache: { ttl: '5m', vary: ['accept'] } } }, async (request, reply) => {
  reply.header('vary', 'Accept')
  if (request.headers.accept === 'text/html') return reply.type('text/html').send('<p>hi</p>')
  return { hi: true }
})
app.get('/secretly-varied', { config: { cache: { ttl: '5m' } } }, async (_, reply) => { reply.header('vary', 'accept-language'); return { hi: true } })
app.get('/set', { config: { cache: { ttl: '5m' } } }, (_, reply) => { reply.header('x-own', 'mine').type('application/xml').send('<a/>') })
app.get('/cookie', { config: { cache: { ttl: '5m' } } }, async (_, reply) => { reply.header('set-cookie', 'sid=1'); return { a: 1 } })
app.get('/no-store', { config: { cache: { ttl: '5m' } } }, async (_, reply) => { reply.header('cache-control', 'No-Store, max-age=60'); return { a: 1 } })
app.get('/private', { config: { cache: { ttl: '5m' } } }, async (_, reply) => { reply.header('cache-control', 'private'); return { a: 1 } })
app.get('/brief', { config: { cache: { ttl: '1h' } } }, async (_, reply) => { reply.header('cache-control', 'max-age=600, s-maxage=7'); return { a: 1 } })
app.get('/busy', { config: { cache: { ttl: '5m' } } }, async (_, reply) => reply.code(429).header('retry-after', '5').send({ error: 'later' }))
app.get('/broken', { config: { cache: { ttl: '5m' } } }, async () => { throw new TypeError('broken') })
app.get('/stream', { config: { cache: { ttl: '5m' } } }, async (_, reply) => reply.type('text/plain').send(Readable.from(['a', 'b'])))
app.get('/bytes', { config: { cache: { ttl: '5m' } } }, async (_, reply) => reply.type('image/png').send(Buffer.from([137, 80, 0, 255])))
app.get('/proto', { config: { cache: { ttl: '5m' } } }, async (_, reply) => reply.type('application/json').send('{"__proto__":{"admin":true},"$":1}'))
app.get('/links', { config: { cache: { ttl: '5m' } } }, async request => ({ link: `https://${request.host}/reset` }))
app.get('/validated', { config: { cache: { ttl: '5m' } }, schema: { querystring: { type: 'object', properties: { n: { type: 'integer' } }, required: ['n'] }, response: { 200: { type: 'object', properties: { n: { type: 'integer' } } } } } },
  async (request) => ({ ...request.query as object, hidden: 1 }))

t.test('the first answer is a miss, the others hits, of the same body and type', async t => {
  const [first, second] = [await get('/plain'), await get('/plain')]
  t.strictSame([first.state, second.state], ['MISS', 'HIT'])
  t.equal(second.body, first.body)
  t.equal(second.headers['content-type'], 'application/json; charset=utf-8')
  t.strictSame(await thrice('/off'), [undefined, undefined, undefined])
})

t.test('HEAD is answered from GET, and fills for it', async t => {
  const [miss, head] = [await app.inject({ method: 'HEAD', url: '/users/head' }), await app.inject({ method: 'HEAD', url: '/users/head' })]
  t.equal(miss.headers['x-cache'], 'MISS')
  t.equal(head.headers['x-cache'], 'HIT')
  t.equal(head.body, '')
  t.equal(head.headers['content-length'], '13')
  const got = await get('/users/head')
  t.strictSame([got.state, got.body], ['HIT', '{"id":"head"}'])
})

t.test('answers differ by path and by all of the query, in any order; or by what is chosen of it', async t => {
  t.equal((await get('/users/1')).body, '{"id":"1"}')
  t.equal((await get('/users/2')).body, '{"id":"2"}')
  t.equal((await get('/users/2?a=1&b=2')).state, 'MISS')
  t.equal((await get('/users/2?b=2&a=1')).state, 'HIT')
  t.equal((await get('/users/2?a=1&b=2&b=3')).state, 'MISS')
  t.equal((await get('/users/2?a=1&b=3&b=2')).state, 'MISS')
  t.equal((await get('/search?q=a&utm=1')).state, 'MISS')
  t.equal((await get('/search?utm=2&q=a')).state, 'HIT')
  t.equal((await get('/search?q=b')).state, 'MISS')
  t.equal((await get('/search?q=a&q=b')).state, 'MISS', 'a parameter given twice is another')
  t.equal((await get('/users/3?__proto__=1')).state, 'MISS')
})

t.test('H1: with Authorization, a cookie or a session, nothing is shared unless the route says by what it differs', async t => {
  await get('/plain')
  for (const headers of [{ authorization: 'Bearer x' }, { cookie: 'sid=1' }] as Record<string, string>[]) t.strictSame(await thrice('/plain', headers), ['BYPASS', 'BYPASS', 'BYPASS'])
  const as = (user: string) => get('/mine', { authorization: `Bearer ${user}`, 'x-user': user })
  for (let i = 0; i < 20; i++) for (const user of ['a', 'b', 'c']) t.equal((await as(user)).body, `{"user":"${user}"}`)
  t.equal((await as('a')).state, 'HIT')
  t.equal((await get('/mine', { cookie: 'x=1' })).state, 'BYPASS')
})

t.test('H1: a request of a known user passes by, without any header of its own', async t => {
  const other = await assemble({})
  t.teardown(() => other.close())
  let user: string | undefined = 'u1'
  other.respite.provide('identity', { userId: () => user, subject: () => undefined })
  other.get('/', { config: { cache: { ttl: '5m' } } }, handler)
  t.equal((await other.inject('/')).headers['x-cache'], 'BYPASS')
  user = undefined
  t.equal((await other.inject('/')).headers['x-cache'], 'MISS')
})

t.test('H2: a host that the client makes up cannot reach another host\'s visitors', async t => {
  t.match((await get('/links', { host: 'evil.example' })).body, 'evil.example')
  t.match((await get('/links', { host: 'good.example' })).body, 'good.example')
})

t.test('answers differ by chosen headers; one that says it differs by another is not stored', async t => {
  for (let i = 0; i < 2; i++) {
    t.equal((await get('/negotiated', { accept: 'text/html' })).body, '<p>hi</p>')
    t.equal((await get('/negotiated', { accept: 'application/json' })).body, '{"hi":true}')
  }
  const hit = await get('/negotiated', { accept: 'text/html' })
  t.strictSame([hit.state, hit.headers['content-type']], ['HIT', 'text/html'])
  t.match(String(hit.headers['vary']).toLowerCase(), 'accept')
  t.strictSame(await thrice('/secretly-varied'), ['MISS', 'MISS', 'MISS'])
})

t.test('only headers that the handler has set are stored', async t => {
  const [first, second] = [await get('/set'), await get('/set')]
  t.equal(second.state, 'HIT')
  t.strictSame([second.headers['x-own'], second.headers['content-type'], second.body], ['mine', 'application/xml', '<a/>'])
  t.equal(second.headers['x-ratelimit-remaining'], '5')
  t.equal(second.headers['vary'], 'Origin', 'what hooks say is said once, by them')
  t.ok(Number(second.headers['x-request']) >= Number(first.headers['x-request']))
  const stored = app.cache.namespace('http').getLocal<{ headers: object }>(`GET /set? ${JSON.stringify(['/set', 'http://localhost:80'])}`)
  t.strictSame(stored!.headers, { 'x-own': 'mine', 'content-type': 'application/xml' })
})

t.test('H3: what is no success, is personal or says no-store is never stored', async t => {
  for (const url of ['/cookie', '/no-store', '/private', '/busy', '/broken']) t.strictSame(await thrice(url), ['MISS', 'MISS', 'MISS'], url)
  t.equal((await get('/broken')).status, 500)
  t.equal((await get('/busy')).status, 429)
  await get('/plain')
  t.equal((await get('/plain', { 'cache-control': 'no-store' })).state, 'BYPASS')
  t.equal((await get('/plain', { range: 'bytes=0-1' })).state, 'BYPASS')
})

t.test("an answer's own s-maxage shortens its time", async t => {
  await get('/brief')
  t.equal((await get('/brief')).state, 'HIT')
  const entry = await app.cache.namespace('http').getWithTtl(`GET /brief? ${JSON.stringify(['/brief', 'http://localhost:80'])}`)
  t.ok(entry!.ttlMs <= 7_000, `${entry!.ttlMs}`)
})

t.test('a short stream is stored when it has ended', async t => {
  t.strictSame([(await get('/stream')).body, (await get('/stream')).body, (await get('/stream')).state], ['ab', 'ab', 'HIT'])
})

t.test('bytes and odd JSON come back as they were', async t => {
  for (let i = 0; i < 3; i++) {
    t.strictSame((await app.inject('/bytes')).rawPayload, Buffer.from([137, 80, 0, 255]))
    t.equal((await get('/proto')).body, '{"__proto__":{"admin":true},"$":1}')
  }
})

t.test('what is no answer is a miss, whoever wrote it', async t => {
  const key = `GET /users/odd? ${JSON.stringify(['/users/:id', 'http://localhost:80'])}`
  for (const value of [null, 5, 'text', { status: 200 }, { status: 500, headers: {}, body: 'x' }, { status: 200, headers: null, body: 'x' }]) {
    await app.cache.namespace('http').set(key, value)
    t.strictSame([(await get('/users/odd')).state, (await get('/users/odd')).body], ['MISS', '{"id":"odd"}'])
  }
})

t.test('a hit passes hooks and validation like a miss; schemas shape the answer once', async t => {
  t.equal((await get('/validated?n=5')).body, '{"n":5}')
  const hit = await get('/validated?n=5')
  t.strictSame([hit.state, hit.body], ['HIT', '{"n":5}'])
  t.equal((await get('/validated?n=x')).status, 400)
  t.equal((await get('/validated')).status, 400)
})

t.test('stored answers end by tag', async t => {
  t.strictSame(await thrice('/tagged'), ['MISS', 'HIT', 'HIT'])
  await app.cache.namespace('http').invalidateTags('news')
  t.equal((await get('/tagged')).state, 'MISS')
})

t.test('many requests for one answer run one handler; what they wait for may turn out not to be storable', async t => {
  const other = await assemble({})
  t.teardown(() => other.close())
  let hold = gate()
  let ran = 0
  let status = 200
  other.get('/slow', { config: { cache: { ttl: '5m' } } }, async (_, reply) => {
    ran++
    await hold.pass()
    return reply.code(status).send({ ran })
  })
  const many = () => Promise.all(Array.from({ length: 20 }, () => other.inject('/slow')))
  const first = many()
  await hold.reached
  hold.open()
  for (const response of await first) t.equal(response.body, '{"ran":1}')
  t.equal(ran, 1)
  await other.cache.namespace('http').clear()
  status = 503
  hold = gate()
  const failing = many()
  await hold.reached
  hold.open()
  for (const response of await failing) t.equal(response.statusCode, 503)
  status = 200
  t.equal((await other.inject('/slow')).headers['x-cache'], 'MISS')
})

t.test('R1: what was invalidated while the handler ran is not stored', async t => {
  const other = await assemble({})
  t.teardown(() => other.close())
  const hold = gate()
  let row = 'v1'
  other.get('/row', { config: { cache: { ttl: '5m' } } }, async () => {
    const loaded = row
    await hold.pass()
    return { loaded }
  })
  const old = other.inject('/row')
  await hold.reached
  row = 'v2'
  await other.cache.namespace('http').deletePattern('GET /row?*')
  hold.open()
  t.equal((await old).body, '{"loaded":"v1"}')
  const next = await other.inject('/row')
  t.strictSame([next.headers['x-cache'], next.body], ['MISS', '{"loaded":"v2"}'])
})

t.test('H3: a client that leaves does not end the fill of the others', async t => {
  const other = await assemble({})
  t.teardown(() => other.close())
  const hold = gate()
  let ran = 0
  other.get('/slow', { config: { cache: { ttl: '5m' } } }, async () => {
    ran++
    await hold.pass()
    return { ok: true }
  })
  const address = await other.listen({ port: 0, host: '127.0.0.1' })
  const abort = new AbortController()
  const leaving = fetch(`${address}/slow`, { signal: abort.signal }).catch(() => 'left')
  await hold.reached
  const staying = fetch(`${address}/slow`)
  const requests = other.server.getConnections.bind(other.server)
  await until('both are there', () => new Promise(resolve => { requests((_, count) => { resolve(count === 2) }) }))
  abort.abort()
  t.equal(await leaving, 'left')
  hold.open()
  t.equal(await (await staying).text(), '{"ok":true}')
  await until('it is stored', async () => (await fetch(`${address}/slow`)).headers.get('x-cache') === 'HIT')
  t.ok(ran <= 2)
})

t.test('a route that changes something cannot be cached, and a bad option is named', async t => {
  const refusing = async (add: (app: FastifyInstance) => void) => {
    const other = await assemble({})
    t.teardown(() => other.close())
    add(other)
  }
  await t.rejects(refusing(other => { other.post('/', { config: { cache: { ttl: '5m' } } }, handler) }), { code: 'FST_RSP_CACHE_ROUTE_METHOD', message: /POST \// })
  await t.rejects(refusing(other => { other.get('/', { config: { cache: { ttl: '5 parsecs' as never } } }, handler) }), { code: 'FST_RSP_OPTION_INVALID', message: /'ttl'.*5 parsecs/ })
})

t.test('a route that was added before the plugin is refused, not served uncached in silence', async t => {
  const other = Fastify()
  t.teardown(() => other.close())
  await other.register(redis)
  other.get('/early', { config: { cache: { ttl: '5m' } } }, handler)
  await other.register(cache)
  t.match((await other.inject('/early')).json(), { code: 'FST_RSP_ROUTE_BEFORE_PLUGIN' })
})

t.test('a route may say that what its requests carry does not matter', async t => {
  const other = await assemble({})
  t.teardown(() => other.close())
  other.get('/shared', { config: { cache: { ttl: '5m', varyBy: () => 'all' } } }, handler)
  await other.inject({ url: '/shared', headers: { cookie: 'analytics=1' } })
  t.equal((await other.inject({ url: '/shared', headers: { cookie: 'analytics=2' } })).headers['x-cache'], 'HIT')
})

t.test('H2: RFC 9111, 2: http and https are two resources: a link or a redirect of one is not given to the other', async t => {
  for (const host of [true, false]) {
    const { app, get } = await appInTime(t)
    app.addHook('onRequest', async ({ headers, raw }) => { if (headers['x-tls'] !== undefined) Object.assign(raw.socket, { encrypted: true }) })
    app.get('/', { config: { cache: { ttl: '1m', host } } }, async ({ protocol }) => ({ protocol }))
    for (const state of ['MISS', 'HIT']) {
      t.match(await get('/'), { state, body: '{"protocol":"http"}' })
      t.match(await get('/', { 'x-tls': '1' }), { state, body: '{"protocol":"https"}' })
    }
  }
})

t.test('a hit is not serialised again by a serializer that a hook has set', async t => {
  const { app, get } = await appInTime(t)
  const preHandler = async (_: unknown, reply: FastifyReply) => { reply.type('application/json').serializer((data: unknown) => JSON.stringify({ data })) }
  app.get('/', { config: { cache: { ttl: '1m' } }, preHandler }, async () => ({ a: 1 }))
  for (const state of ['MISS', 'HIT']) t.match(await get('/'), { state, body: '{"data":{"a":1}}' })
})

t.test('H3: what a handler throws is not stored, be it an error or not, and whatever an error handler makes of it', async t => {
  const { app, get } = await appInTime(t)
  let runs = 0
  app.setErrorHandler(async (_, __, reply) => reply.code(200).send({ runs: ++runs }))
  const config = { cache: { ttl: '1m' } } as const
  const thrown: unknown = { code: 'no error' }
  app.get('/later', { config }, async () => { throw thrown })
  app.get('/at-once', { config }, () => { throw thrown })
  app.get('/error', { config }, async () => { throw new TypeError('broken') })
  for (const url of ['/later', '/at-once', '/error']) for (let i = 0; i < 2; i++) t.match(await get(url), { state: 'MISS', status: 200 }, url)
  t.equal(runs, 6)
})

t.test('H3: what a promise of another library rejects with is not stored; its own then is called once', async t => {
  const { app, get } = await appInTime(t)
  let [runs, asked] = [0, 0]
  app.setErrorHandler(async (_, __, reply) => reply.code(200).send({ runs: ++runs }))
  const config = { cache: { ttl: '1m' } } as const
  const query = (outcome: Promise<unknown>): PromiseLike<unknown> => ({
    then (resolve, reject) {
      asked++
      return outcome.then(resolve, reject)
    }
  })
  const thrown: unknown = { code: 'no error' }
  app.get('/fails', { config }, () => query(Promise.reject(thrown)))
  app.get('/answers', { config }, () => query(Promise.resolve({ a: 1 })))
  for (let i = 0; i < 2; i++) t.match(await get('/fails'), { state: 'MISS', status: 200 })
  t.strictSame([runs, asked], [2, 2])
  for (const state of ['MISS', 'HIT']) t.match(await get('/answers'), { state, body: '{"a":1}' })
  t.equal(asked, 3)
})
