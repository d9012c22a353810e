import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import t from 'tap'
import { until } from '@respite/testing'
import { appInTime } from './app-in-time.ts'

/** A server behind, and a route that passes on what it answers, as a stream under its headers. */
async function proxied (t: Parameters<typeof appInTime>[0], options: object | true = true) {
  const made = await appInTime(t)
  const upstream = { answer: { status: 200, headers: {} as Record<string, string>, body: 'body' }, seen: [] as Record<string, unknown>[] }
  const server = createServer((request, response) => {
    upstream.seen.push({ method: request.method, url: request.url, ...request.headers })
    const { status, headers, body } = upstream.answer
    const same = headers['etag'] !== undefined && request.headers['if-none-match'] === headers['etag']
    response.writeHead(same ? 304 : status, headers).end(same ? undefined : body)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => server.close())
  const { port } = server.address() as AddressInfo
  made.app.get('/*', { config: { cache: options as true } }, (request, reply) => {
    ask({ port, host: '127.0.0.1', path: request.url, method: request.method, headers: request.headers, agent: false }, answer => {
      reply.code(answer.statusCode!).headers(answer.headers).send(answer)
    }).once('error', error => reply.code(502).send(error)).end()
  })
  return { ...made, upstream, server }
}

t.test('a proxied answer is stored as its headers allow, without those of its connection', async t => {
  const { get, upstream, pass } = await proxied(t)
  upstream.answer.headers = { 'cache-control': 's-maxage=60', age: '10', 'content-type': 'text/plain', 'x-up': '1', connection: 'x-hop', 'x-hop': '1', 'cache-status': 'up; hit' }
  const first = await get('/a')
  t.strictSame([first.state, first.body, first.headers['cache-status']], ['MISS', 'body', 'up; hit, respite; fwd=uri-miss'])
  pass(5_000)
  const hit = await get('/a')
  t.strictSame([hit.state, hit.body, hit.headers['age'], hit.headers['x-up'], hit.headers['x-hop'], hit.headers['content-type']], ['HIT', 'body', '15', '1', undefined, 'text/plain'])
  t.equal(hit.headers['cache-status'], 'respite; hit; ttl=45')
  upstream.answer.headers = {}
  await get('/b')
  t.equal((await get('/b')).state, 'MISS', 'nothing allows it')
})

t.test('a stale proxied answer is confirmed by the server\'s 304', async t => {
  const { get, upstream, pass } = await proxied(t)
  upstream.answer.headers = { 'cache-control': 'max-age=10', etag: '"v1"', 'content-type': 'text/plain' }
  await get('/')
  // Joins the first, so that it is stored when time passes.
  await get('/')
  pass(11_000)
  const confirmed = await get('/')
  t.strictSame([confirmed.status, confirmed.body, confirmed.headers['cache-status']], [200, 'body', 'respite; fwd=stale; fwd-status=304; stored; ttl=10'])
  t.equal(upstream.seen[1]!['if-none-match'], '"v1"')
  t.equal((await get('/')).state, 'HIT')
  t.equal(upstream.seen.length, 2)
})

t.test('stale-while-revalidate and stale-if-error of the server are heeded; also when it is gone', async t => {
  const { get, upstream, pass, server } = await proxied(t, { keepStale: '1h' })
  upstream.answer.headers = { 'cache-control': 'max-age=10, stale-while-revalidate=20, stale-if-error=600' }
  await get('/')
  // Joins the first, so that it is stored when time passes.
  await get('/')
  pass(11_000)
  upstream.answer.body = 'new'
  const stale = await get('/')
  t.strictSame([stale.state, stale.body], ['STALE', 'body'])
  await until('it is refreshed', async () => (await get('/')).state === 'HIT')
  t.equal((await get('/')).body, 'new')
  pass(100_000)
  upstream.answer = { status: 503, headers: {}, body: 'down' }
  t.strictSame([(await get('/')).state, (await get('/')).body], ['STALE', 'new'])
  server.closeAllConnections()
  await new Promise(resolve => { server.close(resolve) })
  t.strictSame([(await get('/')).state, (await get('/')).body], ['STALE', 'new'])
})

t.test('a HEAD that is passed on does not empty what GET is given', async t => {
  const { get, inject, upstream } = await proxied(t)
  upstream.answer.headers = { 'cache-control': 'max-age=60' }
  await inject({ method: 'HEAD', url: '/' })
  t.strictSame([(await get('/')).body, (await get('/')).state], ['body', 'HIT'])
})
