import t from 'tap'
import { isNotModified } from '../../src/route/conditional.ts'
import { appInTime } from './app-in-time.ts'

t.test('RFC 9110, 13.1.2: If-None-Match is compared weakly, as a list, and before If-Modified-Since', async t => {
  const lastModified = 'Wed, 01 Jan 2025 00:00:00 GMT'
  const same = (headers: Record<string, string>, etag = '"a,b"') => isNotModified(headers, { etag, headers: { 'last-modified': lastModified } })
  for (const tags of ['"a,b"', 'W/"a,b"', '"x", "a,b"', ' * ']) t.ok(same({ 'if-none-match': tags }), tags)
  for (const tags of ['"a"', '"b"', 'a,b', '"A,b"', '']) t.notOk(same({ 'if-none-match': tags }), tags)
  t.ok(same({ 'if-none-match': '"w"' }, 'W/"w"'))
  t.notOk(same({ 'if-none-match': '"x"', 'if-modified-since': lastModified }))
  t.ok(same({ 'if-modified-since': lastModified }))
  t.notOk(same({ 'if-modified-since': 'Tue, 31 Dec 2024 00:00:00 GMT' }))
  t.notOk(same({ 'if-modified-since': 'yesterday' }))
  t.notOk(same({}))
  t.notOk(isNotModified({ 'if-modified-since': lastModified }, { etag: '"x"', headers: {} }))
})

t.test('RFC 9110, 8.8.3: the ETag is strong, of the body, and the handler\'s where it sets one', async t => {
  const { app, get } = await appInTime(t)
  let body = 'a'
  app.get('/made', { config: { cache: { ttl: '1m' } } }, async () => body)
  app.get('/own', { config: { cache: { ttl: '1m' } } }, async (_, reply) => reply.header('etag', 'W/"v1"').send('x'))
  app.get('/unstored', { config: { cache: true } }, async () => 'x')
  const [miss, hit] = [await get('/made'), await get('/made')]
  t.match(miss.headers['etag'], /^"[\w-]{27}"$/)
  t.equal(hit.headers['etag'], miss.headers['etag'])
  body = 'b'
  await app.cache.namespace('http').clear()
  t.not((await get('/made')).headers['etag'], miss.headers['etag'])
  t.strictSame([(await get('/own')).headers['etag'], (await get('/own')).headers['etag']], ['W/"v1"', 'W/"v1"'])
  t.equal((await get('/unstored')).headers['etag'], undefined)
})

t.test('RFC 9111, 4.3.2: who has the answer is told so with 304, on a hit as on a miss', async t => {
  const { app, get, inject } = await appInTime(t)
  app.get('/', { config: { cache: { ttl: '1m' } } }, async (_, reply) => {
    reply.header('last-modified', 'Wed, 01 Jan 2025 00:00:00 GMT').header('cache-control', 'max-age=60').type('text/plain')
    return 'text'
  })
  const { headers: { etag } } = await get('/')
  const hit = await get('/', { 'if-none-match': etag! })
  t.strictSame([hit.status, hit.body, hit.state, hit.headers['etag'], hit.headers['cache-control'], hit.headers['content-type'], hit.headers['content-length']], [304, '', 'HIT', etag, 'max-age=60', undefined, undefined])
  t.equal((await get('/', { 'if-modified-since': 'Wed, 01 Jan 2025 00:00:00 GMT' })).status, 304)
  t.equal((await get('/', { 'if-none-match': '"other"' })).status, 200)
  t.equal((await inject({ method: 'HEAD', url: '/', headers: { 'if-none-match': etag! } })).status, 304)
  await app.cache.namespace('http').clear()
  const miss = await get('/', { 'if-none-match': etag! })
  t.strictSame([miss.status, miss.body, miss.state], [304, '', 'MISS'])
  const whole = await get('/')
  t.strictSame([whole.status, whole.body, whole.state], [200, 'text', 'HIT'], 'stored was the whole')
})

t.test('RFC 9111, 4.3.1 and 4.3.4: a stale answer is confirmed by the handler\'s 304, with its new headers', async t => {
  const { app, get, pass } = await appInTime(t)
  const seen: unknown[] = []
  app.get('/', { config: { cache: true } }, async (request, reply) => {
    seen.push(request.headers['if-none-match'])
    reply.header('cache-control', 'max-age=10').header('etag', '"v1"').header('x-run', String(seen.length))
    if (request.headers['if-none-match'] === '"v1"') return reply.code(304).send()
    return reply.type('text/plain').send('whole')
  })
  await get('/')
  pass(11_000)
  const confirmed = await get('/')
  t.strictSame([confirmed.status, confirmed.body, confirmed.state, confirmed.headers['x-run'], confirmed.headers['content-type']], [200, 'whole', 'MISS', '2', 'text/plain'])
  t.equal(confirmed.headers['cache-status'], 'respite; fwd=stale; fwd-status=304; stored; ttl=10')
  t.strictSame(seen, [undefined, '"v1"'])
  const hit = await get('/')
  t.strictSame([hit.body, hit.state, hit.headers['x-run']], ['whole', 'HIT', '2'])
  t.equal((await get('/', { 'cache-control': 'no-cache' })).headers['cache-status'], 'respite; fwd=request; fwd-status=304; stored; ttl=10')
})

t.test('RFC 9110, 13.1.1: what asks for the resource as it is now passes by', async t => {
  const { app, get } = await appInTime(t)
  app.get('/', { config: { cache: { ttl: '1m' } } }, async () => ({}))
  await get('/')
  for (const name of ['if-match', 'if-unmodified-since', 'range']) t.equal((await get('/', { [name]: '"x"' })).state, 'BYPASS', name)
})

t.test('a handler that answers 304 to a client by itself is heeded, and not stored', async t => {
  const { app, get } = await appInTime(t)
  app.get('/', { config: { cache: { ttl: '1m' } } }, async (request, reply) => request.headers['if-none-match'] === '"v"' ? reply.code(304).send() : reply.header('etag', '"v"').send('x'))
  const { status, state } = await get('/', { 'if-none-match': '"v"' })
  t.strictSame([status, state], [304, 'MISS'])
  t.strictSame([(await get('/')).body, (await get('/')).state], ['x', 'HIT'])
})
