import t from 'tap'
import { directivesOf } from '../../src/route/directives.ts'
import { lifetimeOf } from '../../src/route/freshness.ts'
import { appInTime } from './app-in-time.ts'

const nowMs = Date.UTC(2026, 0, 1)
const http = (ms: number) => new Date(ms).toUTCString()
const life = (headers: Record<string, string>, ttlMs?: number) =>
  lifetimeOf(headers, directivesOf(headers['cache-control']), { times: { ttlMs, swrMs: 3_000, staleIfErrorMs: 4_000 }, nowMs })

t.test('RFC 9111, 4.2.1: s-maxage rules over max-age, max-age over Expires', async t => {
  const expires = http(nowMs + 30_000)
  t.equal(life({ 'cache-control': 's-maxage=10, max-age=20', expires }).freshMs, 10_000)
  t.equal(life({ 'cache-control': 'max-age=20', expires }).freshMs, 20_000)
  t.equal(life({ expires }).freshMs, 30_000)
  t.equal(life({ expires, date: http(nowMs + 10_000) }).freshMs, 20_000)
})

t.test('RFC 9111, 5.3: an Expires that is no date is in the past', async t => {
  for (const expires of ['0', 'soon', http(nowMs - 1)]) t.equal(life({ expires }, 60_000).freshMs, 0)
})

t.test('an answer that says nothing is fresh for the route\'s ttl, and never longer', async t => {
  t.equal(life({}).freshMs, 0)
  t.equal(life({}, 5_000).freshMs, 5_000)
  t.equal(life({ 'cache-control': 'max-age=3' }, 5_000).freshMs, 3_000)
  t.equal(life({ 'cache-control': 'max-age=30' }, 5_000).freshMs, 5_000)
  t.equal(life({ 'cache-control': 'max-age=-3' }, 5_000).freshMs, 0)
})

t.test('RFC 9111, 4.2.3: the time it lay in caches before counts', async t => {
  t.match(life({ 'cache-control': 'max-age=60', age: '45' }), { freshMs: 15_000, ageMs: 45_000 })
  t.match(life({ 'cache-control': 'max-age=60', age: '-5' }), { freshMs: 60_000, ageMs: 0 })
  t.equal(life({ 'cache-control': 'max-age=60', age: '61' }).freshMs, 0)
})

t.test('RFC 5861: an answer\'s own windows rule over the route\'s; must-revalidate and proxy-revalidate close them', async t => {
  t.match(life({}, 1), { swrMs: 3_000, staleIfErrorMs: 4_000, strict: false })
  t.match(life({ 'cache-control': 'max-age=1, stale-while-revalidate=9, stale-if-error=8' }), { swrMs: 9_000, staleIfErrorMs: 8_000 })
  t.match(life({ 'cache-control': 's-maxage=1, stale-while-revalidate=9' }), { swrMs: 9_000, strict: true })
  for (const name of ['must-revalidate', 'proxy-revalidate']) t.match(life({ 'cache-control': `${name}, stale-while-revalidate=9` }), { swrMs: 0, staleIfErrorMs: 0, strict: true })
})

t.test('without ttl only what an answer itself allows is stored', async t => {
  const { app, get } = await appInTime(t)
  const says: Record<string, Record<string, string>> = {
    '/nothing': {},
    '/public': { 'cache-control': 'public' },
    '/past': { expires: '0' },
    '/max-age': { 'cache-control': 'max-age=60' },
    '/s-maxage': { 'cache-control': 's-maxage=60, max-age=0' },
    '/expires': { expires: http(1_700_000_060_000), date: http(1_700_000_000_000) }
  }
  for (const [url, headers] of Object.entries(says)) app.get(url, { config: { cache: true } }, async (_, reply) => { reply.headers(headers); return { url } })
  for (const [url, state] of [['/nothing', 'MISS'], ['/public', 'MISS'], ['/past', 'MISS'], ['/max-age', 'HIT'], ['/s-maxage', 'HIT'], ['/expires', 'HIT']] as const) {
    await get(url)
    t.equal((await get(url)).state, state, url)
  }
})

t.test('other statuses are stored only when the answer says for how long; 206, 429 and 5xx never', async t => {
  const { app, get } = await appInTime(t)
  for (const status of [200, 203, 204, 206, 301, 302, 400, 401, 403, 404, 410, 429, 500, 502, 503]) {
    app.get(`/ttl/${status}`, { config: { cache: { ttl: '1m' } } }, async (_, reply) => reply.code(status).send('x'))
    app.get(`/own/${status}`, { config: { cache: true } }, async (_, reply) => reply.code(status).header('cache-control', 'public, max-age=60').send('x'))
  }
  const hits = async (kind: string, statuses: number[]) => {
    const found: number[] = []
    for (const status of statuses) {
      await get(`/${kind}/${status}`)
      if ((await get(`/${kind}/${status}`)).state === 'HIT') found.push(status)
    }
    return found
  }
  const all = [200, 203, 204, 206, 301, 302, 400, 401, 403, 404, 410, 429, 500, 502, 503]
  t.strictSame(await hits('ttl', all), [200])
  t.strictSame(await hits('own', all), [200, 203, 301, 302, 404, 410])
})

t.test('RFC 9111, 5.1: Age counts the time here and the time before; Cache-Status the time left', async t => {
  const { app, get, pass } = await appInTime(t)
  app.get('/', { config: { cache: true } }, async (_, reply) => { reply.header('cache-control', 'max-age=60').header('age', '20'); return {} })
  t.equal((await get('/')).headers['cache-status'], 'respite; fwd=uri-miss; fwd-status=200; stored')
  pass(5_500)
  const hit = await get('/')
  t.strictSame([hit.headers['age'], hit.headers['cache-status']], ['25', 'respite; hit; ttl=34'])
  pass(34_500)
  t.equal((await get('/')).state, 'MISS')
})
