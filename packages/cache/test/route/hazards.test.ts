import t from 'tap'
import { seeded } from '@respite/testing'
import { appInTime } from './app-in-time.ts'

t.test('H1: 100,000 personalised requests, and no body or cookie of another user', async t => {
  const random = seeded(t)
  const { app } = await appInTime(t)
  const users = 50
  const userOf = (headers: Record<string, unknown>) => String(headers['authorization'] ?? headers['cookie'] ?? 'nobody').replace(/^(?:Bearer |sid=)/, '')
  const body = (user: string) => `{"for":"${user}"}`
  app.addHook('onSend', async (request, reply) => { if (request.url === '/late') reply.header('set-cookie', `late=${userOf(request.headers)}`) })
  // What routes get wrong: they answer by the user, and say nothing of it.
  app.get('/plain', { config: { cache: { ttl: '1h' } } }, async (request, reply) => reply.type('application/json').send(body(userOf(request.headers))))
  app.get('/cookie', { config: { cache: { ttl: '1h', varyBy: () => 'all' } } }, async (request, reply) => {
    const user = userOf(request.headers)
    return reply.header('set-cookie', `sid=${user}`).type('application/json').send(body(user))
  })
  app.get('/late', { config: { cache: { ttl: '1h', varyBy: () => 'all' } } }, async (request, reply) => reply.type('application/json').send(body(userOf(request.headers))))
  app.get('/vary', { config: { cache: { ttl: '1h', varyBy: () => 'all' } } }, async (request, reply) => reply.header('vary', 'authorization, cookie').type('application/json').send(body(userOf(request.headers))))
  app.get('/star', { config: { cache: { ttl: '1h', varyBy: () => 'all' } } }, async (request, reply) => reply.header('vary', '*').type('application/json').send(body(userOf(request.headers))))
  app.get('/keyed', { config: { cache: { ttl: '1h', swr: '1h', varyBy: request => userOf(request.headers) } } }, async (request, reply) => reply.type('application/json').send(body(userOf(request.headers))))
  const urls = ['/plain', '/cookie', '/late', '/vary', '/star', '/keyed', '/keyed', '/keyed', '/keyed', '/keyed']
  let [asked, wrong, hits] = [0, 0, 0]
  while (asked < 100_000) {
    const batch = Array.from({ length: 200 }, async () => {
      const user = `u${random.below(users)}`
      const url = urls[random.below(urls.length)]!
      const { payload, headers } = await app.inject({ url, headers: random.below(2) === 0 ? { authorization: `Bearer ${user}` } : { cookie: `sid=${user}` } })
      if (headers['x-cache'] === 'HIT') hits++
      const cookies = String(headers['set-cookie'] ?? user)
      if (payload !== body(user) || !cookies.endsWith(user)) wrong++
    })
    asked += batch.length
    await Promise.all(batch)
  }
  t.equal(wrong, 0)
  t.ok(hits > 40_000, `${hits} hits`)
})

t.test('H1: a varyBy that gives a promise, or an object, is refused, since all would be one; one that gives null says nothing', async t => {
  const { app, get } = await appInTime(t)
  let personal: unknown = Promise.resolve('u1')
  const varyBy = () => personal as string
  app.get('/', { config: { cache: { ttl: '1h', varyBy } } }, async () => ({}))
  for (const [value, said] of [[Promise.resolve('u1'), 'a promise'], [{ then: () => undefined }, 'a promise'], [{ id: 'u1' }, 'type object'], [7, 'type number']] as const) {
    personal = value
    const { status, body } = await get('/', { authorization: 'Bearer x' })
    t.match([status, JSON.parse(body)], [500, { code: 'FST_RSP_CACHE_VARY_BY_INVALID', message: new RegExp(`varyBy of '/' .* ${said}$`) }])
  }
  personal = null
  t.equal((await get('/', { authorization: 'Bearer x' })).state, 'BYPASS')
})

t.test('H1: a session that begins in the handler makes its answer personal', async t => {
  const { app, get } = await appInTime(t)
  let user: string | undefined
  app.respite.provide('identity', { userId: () => user, subject: () => undefined })
  app.get('/login', { config: { cache: { ttl: '1h' } } }, async () => { user = 'u1'; return { token: 'of u1' } })
  t.equal((await get('/login')).state, 'MISS')
  user = undefined
  t.equal((await get('/login')).state, 'MISS')
})

t.test('H1: a cookie that a later hook sets keeps the answer from being stored, as string, bytes or stream', async t => {
  const { Readable } = await import('node:stream')
  const { app, get } = await appInTime(t)
  app.addHook('onSend', async (_, reply) => { reply.header('set-cookie', 'sid=1') })
  const bodies: Record<string, () => unknown> = { '/text': () => 'x', '/bytes': () => Buffer.from('x'), '/stream': () => Readable.from(['x']) }
  for (const [url, body] of Object.entries(bodies)) app.get(url, { config: { cache: { ttl: '1h' } } }, async (_, reply) => reply.send(body()))
  app.get('/raw', { config: { cache: { ttl: '1h' } } }, async (_, reply) => { reply.raw.setHeader('set-cookie', 'raw=1'); return 'x' })
  for (const url of [...Object.keys(bodies), '/raw']) {
    await get(url)
    t.equal((await get(url)).state, 'MISS', url)
  }
})

t.test('H2: a query that a client makes up takes no place beyond a bound, and one given twice is another', async t => {
  const { app, get } = await appInTime(t)
  app.get('/', { config: { cache: { ttl: '1h' } } }, async request => request.query)
  t.equal((await get(`/?a=${'x'.repeat(8_000)}`)).state, 'BYPASS')
  await get('/?a=1')
  t.strictSame([(await get('/?a=1&a=2')).body, (await get('/?a=2&a=1')).body, (await get('/?a=1')).body], ['{"a":["1","2"]}', '{"a":["2","1"]}', '{"a":"1"}'])
  await get('/?a=%221%22')
  t.equal((await get('/?a=%221%22')).body, '{"a":"\\"1\\""}')
  t.equal((await get('/?a=1%26b%3D2')).body, '{"a":"1&b=2"}')
  t.equal((await get('/?a=1&b=2')).body, '{"a":"1","b":"2"}')
})

t.test('H2: JSON with __proto__ comes back as it was, and changes nothing', async t => {
  const { app, get } = await appInTime(t)
  app.get('/', { config: { cache: { ttl: '1h' } } }, async (_, reply) => reply.type('application/json').send('{"__proto__":{"admin":true}}'))
  for (const state of ['MISS', 'HIT']) t.strictSame([(await get('/')).body, state], ['{"__proto__":{"admin":true}}', state])
  t.equal(({} as { admin?: boolean }).admin, undefined)
})

t.test('H3: an answer that ends in an error is not stored, whatever its headers allow', async t => {
  const { app, get } = await appInTime(t)
  let runs = 0
  app.get('/', { config: { cache: { ttl: '1h' } } }, async (_, reply) => {
    runs++
    reply.header('cache-control', 'public, max-age=600')
    throw Object.assign(new TypeError('gone'), { statusCode: 404 })
  })
  t.strictSame([(await get('/')).status, (await get('/')).status, runs], [404, 404, 2])
})
