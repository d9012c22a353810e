import { startRedis } from '@respite/testing'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { ErrorBuilder, Refusal } from '../../src/index.ts'
import { linkedApp, makeApp, served, statuses } from '../app.ts'

const once = { name: 'burst', limit: 1, per: '5s' } as const

t.test('the body of a 429 names the limit, its window and the time to wait, and nothing else', async t => {
  const { app, clock } = await makeApp(t, { limits: [once] })
  app.get('/', served)
  await app.inject('/')
  clock.nowMs += 1_001
  const response = await app.inject('/')
  t.equal(response.statusCode, 429)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.body, '{"statusCode":429,"error":"Too Many Requests","code":"RATE_LIMITED",' +
    '"message":"Rate limit \'burst\' of 1 per 5 s exceeded, retry in 4 s","violated":"burst",' +
    '"violations":[{"name":"burst","limit":1,"windowMs":5000,"retryAfter":4}],"retryAfter":4}')
})

t.test('of several violations the one with the longest wait is named, and all are listed by their wait', async t => {
  const { app, clock } = await makeApp(t, {
    limits: [
      { name: 'second', limit: 1, per: '1s' },
      { name: 'free', limit: 100, per: '1h' },
      { name: 'hour', limit: 1, per: '1h' },
      { name: 'minute', rate: '1/90s' }
    ]
  })
  app.get('/', served)
  await app.inject('/')
  clock.nowMs += 500
  const response = await app.inject('/')
  t.same(response.json(), {
    statusCode: 429,
    error: 'Too Many Requests',
    code: 'RATE_LIMITED',
    message: "Rate limit 'hour' of 1 per 1 h exceeded, retry in 3600 s",
    violated: 'hour',
    violations: [
      { name: 'hour', limit: 1, windowMs: 3_600_000, retryAfter: 3_600 },
      { name: 'minute', limit: 1, windowMs: 90_000, retryAfter: 90 },
      { name: 'second', limit: 1, windowMs: 1_000, retryAfter: 1 }
    ],
    retryAfter: 3_600
  } satisfies Refusal)
  t.equal(response.headers['retry-after'], '3600')
})

t.test('what can never be admitted says so, and stands before whatever can', async t => {
  const { app } = await makeApp(t)
  app.get('/', {
    config: { rateLimit: [once, { name: 'never', limit: 0, per: '1m' }, { name: 'dear', limit: 1, per: '1d', cost: 2 }] }
  }, served)
  const { violated, violations, message, ...rest } = (await app.inject('/')).json()
  t.equal(violated, 'never')
  t.equal(message, "Rate limit 'never' of 0 per 1 min exceeded, it never admits such a request")
  t.same(violations, [{ name: 'never', limit: 0, windowMs: 60_000 }, { name: 'dear', limit: 1, windowMs: 86_400_000 }])
  t.notOk('retryAfter' in rest)
})

t.test('the schema of the route\'s answers does not change the body', async t => {
  const { app } = await makeApp(t, { limits: [{ ...once, by: 'user' }] })
  const nothingMore = { type: 'object', properties: { message: { type: 'string', maxLength: 3 } }, additionalProperties: false } as const
  app.get('/', { schema: { response: { 429: nothingMore, '4xx': nothingMore, default: nothingMore } } }, async () => ({}))
  app.setReplySerializer(() => 'the app\'s own')
  await app.inject('/')
  const response = await app.inject('/')
  t.equal(response.statusCode, 429)
  t.match(response.json(), { code: 'RATE_LIMITED', violated: 'burst', violations: [{ name: 'burst' }] })
})

t.test('hooks of the app see a refusal go out as any answer, and no handler runs however long they hold it', async t => {
  for (const config of [once, { ...once, by: 'user' }, { ...once, key: () => 'k' }] as const) {
    const { app } = await makeApp(t)
    const seen: string[] = []
    app.addHook('onSend', async (_, reply, payload) => {
      await new Promise(setImmediate)
      seen.push(`${reply.statusCode} ${typeof payload}`)
    })
    app.addHook('onError', async () => { seen.push('error') })
    app.get('/', { config: { rateLimit: config } }, async () => { seen.push('handler'); return 'served' })
    t.same(await statuses(app, 2, '/'), [200, 429])
    t.same(seen, ['handler', '200 string', '429 string'])
  }
})

t.test('a refusal that cannot be written fails its own request alone, not the process', async t => {
  // Seen: the rejection of nobody's promise, or an exception in the callback of the link, and a client that waits for ever.
  const server = await startRedis()
  t.teardown(() => server.stop())
  const none = { limit: 0, per: '1m' } as const
  const routes = (app: FastifyInstance) => {
    app.respite.requests.add<true, never>({
      name: 'namer',
      phase: 'session',
      configKey: 'namer',
      plan: () => true,
      start (_, __, reply) {
        reply.header('x-name', 'two\nlines')
        return undefined
      },
      settle: () => {}
    })
    app.get('/ip', { config: { rateLimit: { ...none, name: 'ip' } } }, served)
    app.get('/key', { config: { rateLimit: { ...none, name: 'key', key: () => 'k' } } }, served)
    app.get('/hook', { preHandler: app.rateLimit({ ...none, name: 'hook' }) }, served)
  }
  const { app: embedded } = await makeApp(t)
  routes(embedded)
  for (const app of [embedded, await linkedApp(t, {}, { url: server.url }, routes)]) {
    for (const url of ['/ip', '/key', '/hook']) t.match((await app.inject(url)).json(), { code: 'ERR_INVALID_CHAR', statusCode: 429 }, url)
  }
})

/** The answer to a request that is refused, where the builder makes the body. */
async function built (t: Parameters<typeof makeApp>[0], errorBuilder: ErrorBuilder, setErrorHandler = true) {
  const { app } = await makeApp(t, { limits: [once], errorBuilder })
  if (setErrorHandler) app.setErrorHandler((error: Error & { statusCode?: number }, _, reply) => reply.code(error.statusCode ?? 500).send({ handled: error.message }))
  app.get('/', served)
  await app.inject({ url: '/', headers: { 'x-name': 'ada' } })
  return app.inject({ url: '/', headers: { 'x-name': 'ada' } })
}

t.test('an errorBuilder that returns an object makes the JSON body, of the request and the refusal', async t => {
  const response = await built(t, (request, refusal) => ({ who: request.headers['x-name'], wait: refusal.retryAfter, of: refusal.violations.length }))
  t.equal(response.statusCode, 429)
  t.equal(response.headers['content-type'], 'application/json; charset=utf-8')
  t.equal(response.headers['retry-after'], '5')
  t.equal(response.body, '{"who":"ada","wait":5,"of":1}')
})

t.test('one that returns a string makes plain text', async t => {
  const response = await built(t, (_, { violated }) => `slow down: "${violated}"`)
  t.equal(response.statusCode, 429)
  t.equal(response.headers['content-type'], 'text/plain; charset=utf-8')
  t.equal(response.body, 'slow down: "burst"')
  t.equal((await built(t, () => '')).body, '')
})

t.test('one that returns an Error hands it to the app\'s error handler, as a 429 unless it says otherwise', async t => {
  const response = await built(t, (_, { message }) => new TypeError(message))
  t.equal(response.statusCode, 429)
  t.same(response.json(), { handled: "Rate limit 'burst' of 1 per 5 s exceeded, retry in 5 s" })
  t.equal(response.headers['retry-after'], '5')
  t.equal((await built(t, () => Object.assign(new TypeError('hidden'), { statusCode: 404 }))).statusCode, 404)
  t.match((await built(t, () => new TypeError('no handler of the app'), false)).json(), { statusCode: 429, message: 'no handler of the app' })
  t.equal((await built(t, () => Object.freeze(new TypeError('frozen')))).statusCode, 500)
})

t.test('one that throws, or makes nothing that can be sent, is an error of the app: the request stays refused', async t => {
  const circle: Record<string, unknown> = {}
  circle.self = circle
  const builders: Record<string, [ErrorBuilder, RegExp]> = {
    throws: [() => { throw new TypeError('the builder broke') }, /the builder broke/],
    'throws a text': [() => { throw 'a text' }, /errorBuilder.*it threw/], // eslint-disable-line no-throw-literal
    'throws nothing': [() => { throw undefined }, /errorBuilder.*it threw/], // eslint-disable-line no-throw-literal
    'returns a circle': [() => circle, /circular/],
    'returns nothing': [() => undefined as unknown as object, /errorBuilder.*undefined/],
    'returns a number': [() => 7 as unknown as object, /errorBuilder.*it returned 7/],
    'returns what has no JSON': [() => ({ toJSON: () => undefined }), /errorBuilder.*it returned/],
    'returns a promise': [async () => ({ late: true }), /errorBuilder.*promise/i],
    'returns a promise of another library': [() => ({ state: 'pending', then () {} }), /errorBuilder.*it returned .*then/]
  }
  for (const [what, [builder, message]] of Object.entries(builders)) {
    const response = await built(t, builder)
    t.equal(response.statusCode, 500, what)
    t.match(response.json().handled, message, what)
  }
})
