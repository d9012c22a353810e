import { request } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import type { Test } from 'tap'
import { gate, until } from '@respite/testing'
import { type Passing, proxied } from '../route/proxied.ts'

/** What a cached route does that passes on what a server behind it answers. */
export function proxyContract (t: Test, name: string, passing: Passing): void {
  t.test(`${name}: an answer is stored as its headers allow`, async t => {
    const { get, upstream, pass } = await proxied(t, passing)
    upstream.answer.headers = { 'cache-control': 's-maxage=60', age: '10', 'content-type': 'text/plain', 'x-up': '1', 'cache-status': 'up; hit' }
    const first = await get('/a')
    t.strictSame([first.state, first.body, first.headers['cache-status']], ['MISS', 'body', 'up; hit, respite; fwd=uri-miss'])
    pass(5_000)
    const hit = await get('/a')
    t.strictSame([hit.state, hit.body, hit.headers['age'], hit.headers['x-up'], hit.headers['content-type']], ['HIT', 'body', '15', '1', 'text/plain'])
    t.equal(hit.headers['cache-status'], 'respite; hit; ttl=45')
    upstream.answer.headers = {}
    await get('/b')
    t.equal((await get('/b')).state, 'MISS', 'nothing allows it')
    for (const headers of [{ 'cache-control': 'no-store' }, { 'cache-control': 'private, max-age=60' }, { 'cache-control': 'max-age=0' }, { expires: '0' }] as Record<string, string>[]) {
      upstream.answer.headers = headers
      await get('/b')
      t.equal((await get('/b')).state, 'MISS', JSON.stringify(headers))
    }
    upstream.answer = { status: 404, headers: { 'cache-control': 'max-age=60' }, body: 'none' }
    await get('/b')
    t.match(await get('/b'), { state: 'HIT', status: 404, body: 'none' })
  })

  t.test(`${name}: RFC 9111, 3.1: headers of the connection are not stored, neither the first time nor by a refresh`, async t => {
    const { app, upstream, pass } = await proxied(t, passing)
    const origin = await app.listen({ port: 0, host: '127.0.0.1' })
    upstream.answer.headers = { 'cache-control': 'max-age=10', etag: '"v1"', 'x-up': '1', connection: 'close, x-hop', 'x-hop': '1' }
    const get = async () => {
      const { headers } = await fetch(origin)
      return [headers.get('x-cache'), headers.get('x-up'), headers.get('x-hop')]
    }
    await get()
    await until('it is stored', async () => (await get())[0] === 'HIT')
    t.strictSame(await get(), ['HIT', '1', null])
    pass(11_000)
    await get()
    t.strictSame([await get(), upstream.seen.length], [['HIT', '1', null], 2])
  })

  t.test(`${name}: a stale answer is confirmed by the server's 304, with the headers that it brings`, async t => {
    const { get, upstream, pass } = await proxied(t, passing)
    upstream.answer.headers = { 'cache-control': 'max-age=10', etag: '"v1"', 'content-type': 'text/plain' }
    await get('/')
    // Joins the first, so that it is stored when time passes.
    await get('/')
    pass(11_000)
    upstream.answer.headers['x-new'] = '1'
    const confirmed = await get('/')
    t.strictSame([confirmed.status, confirmed.body, confirmed.headers['cache-status']], [200, 'body', 'respite; fwd=stale; fwd-status=304; stored; ttl=10'])
    t.equal(upstream.seen[1]!['if-none-match'], '"v1"')
    t.match(await get('/'), { state: 'HIT', headers: { 'x-new': '1', 'content-type': 'text/plain' } })
    t.match(await get('/', { 'if-none-match': '"v1"' }), { status: 304, body: '' })
    t.equal(upstream.seen.length, 2)
  })

  t.test(`${name}: stale-while-revalidate and stale-if-error of the server are heeded; also when it is gone`, async t => {
    const { get, upstream, pass } = await proxied(t, passing, { keepStale: '1h' })
    upstream.answer.headers = { 'cache-control': 'max-age=10, stale-while-revalidate=20, stale-if-error=600' }
    await get('/')
    // Joins the first, so that it is stored when time passes.
    await get('/')
    pass(11_000)
    upstream.answer.body = 'new'
    t.match(await get('/'), { state: 'STALE', body: 'body' })
    await until('it is refreshed', async () => (await get('/')).state === 'HIT')
    t.equal((await get('/')).body, 'new')
    pass(100_000)
    upstream.answer = { status: 503, headers: {}, body: 'down' }
    t.match(await get('/'), { state: 'STALE', body: 'new' })
    await upstream.leave()
    t.match(await get('/'), { state: 'STALE', body: 'new', status: 200 })
    pass(600_000)
    t.match(await get('/'), { state: 'MISS', status: /^50[023]$/ }, 'past its window')
  })

  t.test(`${name}: HEAD is answered from GET; one that is passed on does not empty what GET is given`, async t => {
    const { get, inject, upstream } = await proxied(t, passing)
    upstream.answer.headers = { 'cache-control': 'max-age=60', 'content-length': '4' }
    t.match(await inject({ method: 'HEAD', url: '/' }), { state: 'MISS', body: '', headers: { 'content-length': '4' } })
    t.strictSame([(await get('/')).body, (await get('/')).state], ['body', 'HIT'])
    t.match(await inject({ method: 'HEAD', url: '/' }), { state: 'HIT', body: '', headers: { 'content-length': '4' } })
    t.strictSame(upstream.seen.map(({ method }) => method), ['HEAD', 'GET'])
  })

  t.test(`${name}: Vary of the server: by what is chosen, answers differ; by anything else, none is stored`, async t => {
    const { get, upstream } = await proxied(t, passing, { vary: ['accept-language'] })
    upstream.serve = ({ headers }, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60', vary: headers['accept-language'] === 'it' ? 'Accept-Language, User-Agent' : 'Accept-Language' }).end(headers['accept-language'])
    }
    for (const state of ['MISS', 'HIT']) for (const language of ['fr', 'de']) t.match(await get('/', { 'accept-language': language }), { state, body: language })
    for (let i = 0; i < 2; i++) t.match(await get('/', { 'accept-language': 'it' }), { state: 'MISS', body: 'it' })
  })

  t.test(`${name}: H1: a cookie of the server is its client's alone, and so is what a client with one is given`, async t => {
    const { get, upstream, pass } = await proxied(t, passing)
    let asked = 0
    upstream.serve = ({ url, headers }, response) => {
      asked++
      const cookie = url === '/cookie' || headers['if-none-match'] === '"plain"' ? { 'set-cookie': [`sid=${asked}`, `other=${asked}`] } : {}
      response.writeHead(200, { 'cache-control': 'public, max-age=60', etag: '"plain"', ...cookie }).end(`${asked}`)
    }
    for (const body of ['1', '2']) t.match(await get('/cookie'), { state: 'MISS', body, headers: { 'set-cookie': [`sid=${body}`, `other=${body}`] } })
    for (const headers of [{ cookie: 'a=1' }, { authorization: 'Bearer x' }] as Record<string, string>[]) t.match(await get('/plain', headers), { state: 'BYPASS' })
    t.match(await get('/plain'), { state: 'MISS', body: '5' })
    t.match(await get('/plain'), { state: 'HIT', headers: { 'set-cookie': undefined } })
    pass(61_000)
    // The answer to the refresh sets a cookie: it is nobody's, and what was stored goes.
    for (let i = 0; i < 2; i++) t.match(await get('/plain'), { state: 'MISS', headers: { 'set-cookie': undefined } })
  })

  t.test(`${name}: an encoded body is passed on and stored as it came`, async t => {
    const { get, app, upstream } = await proxied(t, passing, { vary: ['accept-encoding'] })
    const bytes = gzipSync('a body, '.repeat(100))
    upstream.answer = { status: 200, headers: { 'cache-control': 'max-age=60', 'content-encoding': 'gzip', vary: 'accept-encoding', 'content-type': 'text/plain' }, body: bytes }
    const gzip = { 'accept-encoding': 'gzip' }
    await get('/', gzip)
    const { rawPayload, headers } = await app.inject({ url: '/', headers: gzip })
    t.strictSame([rawPayload.equals(bytes), headers['x-cache'], headers['content-encoding'], headers['content-length']], [true, 'HIT', 'gzip', String(bytes.length)])
  })

  t.test(`${name}: streams arrive as they come, and are stored when they have ended; not those that are too long, or broke off`, async t => {
    const { get, app, upstream } = await proxied(t, passing, true, { maxResponseBytes: 1_000 })
    const address = await app.listen({ port: 0, host: '127.0.0.1' })
    const hold = gate()
    upstream.serve = ({ url }, response) => {
      response.writeHead(200, { 'cache-control': 'max-age=60' })
      if (url === '/long') return response.end('x'.repeat(1_001))
      response.write('first,')
      if (url === '/broken') setImmediate(() => response.destroy())
      else hold.pass().then(() => response.end('last'), t.error)
    }
    const answer = await fetch(`${address}/slow`)
    const body = answer.body!.getReader()
    t.equal(Buffer.from((await body.read()).value!).toString(), 'first,', 'before the server has ended')
    hold.open()
    t.equal(Buffer.from((await body.read()).value!).toString(), 'last')
    const host = { host: new URL(address).host }
    await until('it is stored', async () => (await get('/slow', host)).state === 'HIT')
    t.equal((await get('/slow', host)).body, 'first,last')
    for (let i = 0; i < 2; i++) t.match(await get('/long'), { state: 'MISS', body: /^x{1001}$/ })
    for (let i = 0; i < 2; i++) await t.rejects(fetch(`${address}/broken`).then(broken => broken.text()))
    t.equal(upstream.seen.filter(({ url }) => url === '/broken').length, 2)
  })

  t.test(`${name}: H3: a client that leaves before the server answers ends nothing for the others; the server is asked once`, async t => {
    const { app, upstream } = await proxied(t, passing)
    await app.listen({ port: 0, host: '127.0.0.1' })
    const { port } = app.server.address() as AddressInfo
    const hold = gate()
    upstream.serve = (_, response) => { hold.pass().then(() => response.writeHead(200, { 'cache-control': 'max-age=60' }).end('body'), t.error) }
    const left = new Promise<void>(resolve => { app.server.once('request', (_, response) => response.once('close', resolve)) })
    const leaving = request({ port, host: '127.0.0.1', agent: false }).on('error', () => undefined).end()
    await hold.reached
    const others = Array.from({ length: 5 }, () => fetch(`http://127.0.0.1:${port}/`).then(async answer => [answer.status, answer.headers.get('x-cache'), await answer.text()]))
    leaving.destroy()
    await left
    hold.open()
    for (const answer of await Promise.all(others)) t.strictSame(answer, [200, 'HIT', 'body'])
    t.equal(upstream.seen.length, 1)
  })

  t.test(`${name}: an unsafe request that is passed on ends what is stored of its path`, async t => {
    const { get, inject, upstream } = await proxied(t, passing)
    upstream.answer.headers = { 'cache-control': 'max-age=60' }
    await get('/a')
    t.equal((await get('/a')).state, 'HIT')
    t.equal((await inject({ method: 'PUT', url: '/a' })).status, 200)
    t.equal((await get('/a')).state, 'MISS')
  })
}
