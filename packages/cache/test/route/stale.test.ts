import t from 'tap'
import { gate, until } from '@respite/testing'
import { appInTime } from './app-in-time.ts'

t.test('RFC 5861, 3: a stale answer is given at once while one run refreshes it', async t => {
  const { app, get, pass } = await appInTime(t)
  let hold = gate()
  hold.open()
  let runs = 0
  app.get('/', { config: { cache: { ttl: '10s', swr: '30s' } } }, async () => {
    runs++
    await hold.pass()
    return { runs }
  })
  await get('/')
  pass(15_000)
  hold = gate()
  const stale = await Promise.all(Array.from({ length: 20 }, () => get('/')))
  for (const { state, body, headers } of stale) t.strictSame([state, body, headers['age'], headers['cache-status']], ['STALE', '{"runs":1}', '15', 'respite; hit; ttl=-5'])
  await hold.reached
  hold.open()
  await until('it is refreshed', async () => (await get('/')).state === 'HIT')
  t.equal((await get('/')).body, '{"runs":2}')
  t.equal(runs, 2)
})

t.test('past its window a stale answer is not given', async t => {
  const { app, get, pass } = await appInTime(t)
  let runs = 0
  app.get('/', { config: { cache: { ttl: '10s', swr: '5s', keepStale: '1h' } } }, async () => ({ runs: ++runs }))
  app.get('/own', { config: { cache: { keepStale: '1h' } } }, async (_, reply) => { reply.header('cache-control', 'max-age=10, stale-while-revalidate=20'); return {} })
  await get('/')
  await get('/own')
  pass(15_000)
  const late = await get('/')
  t.strictSame([late.state, late.body, late.headers['cache-status']], ['MISS', '{"runs":2}', 'respite; fwd=stale; fwd-status=200; stored; ttl=10'])
  t.equal((await get('/own')).state, 'STALE', 'the answer says how long')
})

t.test('RFC 5861, 4: when the handler fails, the stale answer is given; past its window the failure', async t => {
  const { app, get, pass } = await appInTime(t)
  let outcome: 'ok' | 'throws' | 503 | 429 = 'ok'
  app.get('/', { config: { cache: { ttl: '10s', staleIfError: '30s', keepStale: '1h' } } }, async (_, reply) => {
    if (outcome === 'throws') throw new TypeError('broken')
    return reply.code(outcome === 'ok' ? 200 : outcome).send({ outcome })
  })
  await get('/')
  pass(20_000)
  for (outcome of ['throws', 503, 429] as const) {
    const { state, body, status } = await get('/')
    t.strictSame([state, body, status], ['STALE', '{"outcome":"ok"}', 200], String(outcome))
  }
  pass(20_000)
  outcome = 503
  t.strictSame([(await get('/')).state, (await get('/')).status], ['MISS', 503])
})

t.test('RFC 9111, 5.2.2.2: must-revalidate never gives a stale answer, also when the handler fails', async t => {
  const { app, get, pass } = await appInTime(t)
  let broken = false
  app.get('/', { config: { cache: { ttl: '10s', swr: '1m', staleIfError: '1m' } } }, async (_, reply) => {
    if (broken) throw new TypeError('broken')
    reply.header('cache-control', 'max-age=10, must-revalidate')
    return {}
  })
  await get('/')
  pass(11_000)
  t.equal((await get('/')).state, 'MISS')
  broken = true
  pass(11_000)
  t.equal((await get('/')).status, 500)
})

t.test('R9: a refresh that fails keeps the stale answer; one whose answer must not be stored ends it', async t => {
  const { app, get, pass } = await appInTime(t)
  let outcome = 'ok'
  let runs = 0
  app.get('/', { config: { cache: { ttl: '10s', swr: '1h' } } }, async (_, reply) => {
    runs++
    if (outcome === 'private') reply.header('cache-control', 'private')
    return reply.code(outcome === 'broken' ? 500 : 200).send({ outcome })
  })
  await get('/')
  pass(11_000)
  outcome = 'broken'
  t.equal((await get('/')).state, 'STALE')
  await until('it was asked again', () => runs === 2)
  t.equal((await get('/')).state, 'STALE')
  outcome = 'private'
  await until('it went', async () => (await get('/')).state === 'MISS')
})

t.test('R1, R2: an answer that was invalidated while it was refreshed is not stored', async t => {
  const { app, get, pass } = await appInTime(t)
  let hold = gate()
  hold.open()
  let row = 'v1'
  app.get('/', { config: { cache: { ttl: '10s', swr: '1h', tags: ['rows'] } } }, async () => {
    const loaded = row
    await hold.pass()
    return { loaded }
  })
  await get('/')
  pass(11_000)
  hold = gate()
  t.equal((await get('/')).state, 'STALE')
  await hold.reached
  row = 'v2'
  await app.cache.namespace('http').invalidateTags('rows')
  hold.open()
  const next = await get('/')
  t.strictSame([next.state, next.body], ['MISS', '{"loaded":"v2"}'])
  t.equal((await get('/')).body, '{"loaded":"v2"}')
})

t.test('a refresh is the request of the same client: its headers, its address, its hooks; and no client can pretend to be one', async t => {
  const { app, inject, pass } = await appInTime(t)
  const seen: unknown[] = []
  let hooks = 0
  app.addHook('preHandler', async () => { hooks++ })
  app.get('/', { config: { cache: { ttl: '10s', swr: '1h', vary: ['accept-language'], varyBy: request => request.headers.authorization } } }, async request => {
    seen.push([request.headers['accept-language'], request.headers.authorization, request.ip, request.url, request.headers['cache-control'], request.headers['x-respite-refresh']])
    return {}
  })
  const ask = (more: object = {}) => inject({ url: '/?a=1', remoteAddress: '192.0.2.7', headers: { 'accept-language': 'fr', authorization: 'Bearer x', ...more } })
  await ask()
  pass(11_000)
  t.equal((await ask()).state, 'STALE')
  await until('it was refreshed', () => seen.length === 2)
  t.strictSame(seen[1], ['fr', 'Bearer x', '192.0.2.7', '/?a=1', undefined, undefined])
  t.equal(hooks, 3)
  await until('it is stored', async () => (await ask({ 'x-respite-refresh': 'guess' })).state === 'HIT')
})

t.test('what is no answer, and past its time, is sent past and goes', async t => {
  const { app, get } = await appInTime(t)
  let runs = 0
  app.get('/', { config: { cache: { ttl: '10s', swr: '1h' } } }, async () => ({ runs: ++runs }))
  const http = app.cache.namespace('http')
  const key = `GET /? ${JSON.stringify(['/', 'http://localhost:80'])}`
  await http.set(key, 'of a stranger', { ttl: '1h' })
  await http.expire(key)
  const [odd, next] = [await get('/'), await get('/')]
  t.strictSame([odd.state, odd.body, next.state, next.body], ['MISS', '{"runs":1}', 'MISS', '{"runs":2}'])
  t.strictSame([(await get('/')).state, runs], ['HIT', 2])
})

t.test('RFC 9111, 4.3.4 and 3: a 304 that says that the answer must not be shared confirms nothing, and ends what is stored', async t => {
  for (const [name, value] of [['cache-control', 'no-store'], ['cache-control', 'private, max-age=60'], ['cache-control', 'no-cache'], ['set-cookie', 'a=1'], ['vary', 'x-other']] as const) {
    const { app, get, pass } = await appInTime(t)
    let runs = 0
    app.get('/', { config: { cache: { ttl: '10s' } } }, async (request, reply) => {
      runs++
      reply.header('etag', '"x"')
      return request.headers['if-none-match'] === '"x"' ? reply.code(304).header(name, value).send() : { runs }
    })
    await get('/')
    pass(11_000)
    t.match(await get('/'), { state: 'MISS', body: '{"runs":3}', headers: { [name]: undefined } }, `${name}: ${value}`)
    t.match(await get('/'), { state: 'MISS', body: '{"runs":4}' }, 'the handler was asked for itself')
  }
})

t.test('what is gone is gone for all who asked at once; stale-if-error is for failures', async t => {
  const { app, get, pass } = await appInTime(t)
  let hold = gate()
  let status = 200
  let runs = 0
  app.get('/', { config: { cache: { ttl: '10s', staleIfError: '1h' } } }, async (_, reply) => {
    runs++
    if (status !== 200) await hold.pass()
    return reply.code(status).send({ status })
  })
  await get('/')
  pass(11_000)
  status = 503
  const failed = Array.from({ length: 5 }, () => get('/'))
  await hold.reached
  hold.open()
  for (const answer of await Promise.all(failed)) t.match(answer, { state: 'STALE', status: 200 })
  t.equal(runs, 2, 'one run for all')
  status = 404
  hold = gate()
  const gone = Array.from({ length: 5 }, () => get('/'))
  await hold.reached
  hold.open()
  for (const answer of await Promise.all(gone)) t.match(answer, { state: 'MISS', status: 404 })
})
