import t from 'tap'
import { appInTime } from './app-in-time.ts'

async function counting (t: Parameters<typeof appInTime>[0], options: object = {}) {
  const made = await appInTime(t)
  let runs = 0
  made.app.get('/', { config: { cache: { ttl: '60s', ...options } } }, async () => ({ runs: ++runs }))
  const ask = async (cacheControl?: string) => {
    const { state, body, status, headers } = await made.get('/', cacheControl === undefined ? {} : { 'cache-control': cacheControl })
    return [state, status === 200 ? JSON.parse(body).runs : status, String(headers['cache-status']).split(';')[1]?.trim()]
  }
  return { ...made, ask }
}

t.test('RFC 9111, 5.2.1.4: no-cache has the handler run, and what it gives is stored for all', async t => {
  const { ask, get } = await counting(t)
  t.strictSame(await ask(), ['MISS', 1, 'fwd=uri-miss'])
  t.strictSame(await ask('no-cache'), ['MISS', 2, 'fwd=request'])
  t.strictSame(await ask(), ['HIT', 2, 'hit'])
  t.equal((await get('/', { pragma: 'no-cache' })).body, '{"runs":3}')
})

t.test('RFC 9111, 5.2.1.5: no-store passes by', async t => {
  const { ask } = await counting(t)
  t.strictSame(await ask('no-store'), ['BYPASS', 1, 'fwd=bypass'])
  t.strictSame(await ask(), ['MISS', 2, 'fwd=uri-miss'])
})

t.test('RFC 9111, 5.2.1.1: max-age takes nothing older', async t => {
  const { ask, pass } = await counting(t)
  await ask()
  pass(10_000)
  t.strictSame(await ask('max-age=10'), ['HIT', 1, 'hit'])
  t.strictSame(await ask('max-age=9'), ['MISS', 2, 'fwd=request'])
  t.strictSame(await ask('max-age=0'), ['HIT', 2, 'hit'], 'it is 0 s old')
  t.strictSame(await ask('max-age=x'), ['HIT', 2, 'hit'])
})

t.test('RFC 9111, 5.2.1.3: min-fresh takes nothing that ends too soon', async t => {
  const { ask, pass } = await counting(t)
  await ask()
  pass(20_000)
  t.strictSame(await ask('min-fresh=40'), ['HIT', 1, 'hit'])
  t.strictSame(await ask('min-fresh=41'), ['MISS', 2, 'fwd=request'])
})

t.test('RFC 9111, 5.2.1.2: max-stale takes what is past its time, unless the answer forbids it', async t => {
  const { ask, pass, app, get } = await counting(t)
  app.get('/strict', { config: { cache: true } }, async (_, reply) => { reply.header('cache-control', 'max-age=60, must-revalidate'); return {} })
  await ask()
  await get('/strict')
  pass(65_000)
  t.strictSame(await ask('max-stale=6'), ['STALE', 1, 'hit'])
  t.equal((await get('/strict', { 'cache-control': 'max-stale' })).state, 'MISS')
})

t.test('RFC 9111, 5.2.1.7: only-if-cached is answered from what is stored, or with 504', async t => {
  const { ask, pass } = await counting(t)
  t.strictSame(await ask('only-if-cached'), ['MISS', 504, undefined])
  await ask()
  t.strictSame(await ask('only-if-cached'), ['HIT', 1, 'hit'])
  t.strictSame(await ask('only-if-cached, no-cache'), ['MISS', 504, undefined])
  pass(61_000)
  t.strictSame(await ask('only-if-cached'), ['MISS', 504, undefined])
})

t.test('with requestDirectives false no request has the handler run by its Cache-Control, but for no-store', async t => {
  const { ask } = await counting(t, { requestDirectives: false })
  await ask()
  for (const wish of ['no-cache', 'max-age=0', 'only-if-cached', 'min-fresh=1000']) t.strictSame(await ask(wish), ['HIT', 1, 'hit'])
  t.strictSame(await ask('no-store'), ['BYPASS', 2, 'fwd=bypass'], 'what must not be stored is not')
})
