import Fastify from 'fastify'
import t from 'tap'
import rateLimit, {
  type CreateRateLimitOptions, type errorResponseBuilderContext, fastifyRateLimit, type FastifyRateLimitOptions, type FastifyRateLimitStore, type FastifyRateLimitStoreCtor,
  normalizeIP, type RateLimitHook, type RateLimitOptions, type RateLimitPluginOptions, RespiteStore
} from '@respite/ratelimit/compat'

class CustomStore implements FastifyRateLimitStore {
  options: FastifyRateLimitOptions
  constructor (options: FastifyRateLimitOptions) { this.options = options }
  incr (_key: string, callback: (error: Error | null, result?: { current: number, ttl: number }) => void) { callback(null, { current: 1, ttl: 5_000 }) }
  child () { return new CustomStore({}) }
}

t.test('code that is typed by @fastify/rate-limit compiles and runs', async t => {
  const store: FastifyRateLimitStoreCtor = CustomStore
  const hook: RateLimitHook = 'preHandler'
  const options: RateLimitPluginOptions = {
    global: true,
    max: (request, key) => request.url.length + key.length,
    timeWindow: async () => 5_000,
    hook,
    store,
    cache: 10,
    allowList: (_, key) => key === 'a',
    redis: null,
    keyGenerator: request => request.ip,
    addHeaders: { 'x-ratelimit-limit': false },
    addHeadersOnExceeding: { 'ratelimit-reset': false },
    errorResponseBuilder: (_, context: errorResponseBuilderContext) => ({ code: context.statusCode, ban: context.ban, after: context.after, max: context.max, ttl: context.ttl })
  }
  const route: RateLimitOptions = { max: 1, groupId: 'a', onExceeded: (request, key) => request.log.info(key) }
  const byHand: CreateRateLimitOptions = { max: 2, store: RespiteStore, ban: 1 }
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(rateLimit, options)
  app.get<{ Querystring: { a: string } }>('/', { config: { rateLimit: route } }, async request => request.query.a)
  app.get<{ Body: { b: string } }>('/hook', { preHandler: [app.rateLimit({ max: 3 })], onRequest: app.rateLimit() }, async request => request.body?.b ?? 'none')
  app.setNotFoundHandler({ preHandler: app.rateLimit() }, (_, reply) => { reply.code(404).send() })
  const check = app.createRateLimit(byHand)
  app.get('/check', { config: { rateLimit: false } }, async request => {
    const standing = await check(request, { increment: false })
    if (standing.isAllowed) return standing.key
    const { isExceeded, remaining, ttlInSeconds }: { isExceeded: boolean, remaining: number, ttlInSeconds: number } = standing
    return { isExceeded, remaining, ttlInSeconds }
  })
  t.same((await app.inject('/check')).json(), { isExceeded: false, remaining: 2, ttlInSeconds: 0 })
  t.equal(rateLimit, fastifyRateLimit)
  t.equal(normalizeIP('::FFFF:192.0.2.1', 64), '192.0.2.1')
})

t.test('what they would refuse is refused', t => {
  // @ts-expect-error no such hook
  const hook: RateLimitOptions = { hook: 'onSend' }
  // @ts-expect-error a text is no number
  const max: RateLimitPluginOptions = { max: '3' }
  // @ts-expect-error a list or a function
  const list: RateLimitOptions = { allowList: '127.0.0.1' }
  // @ts-expect-error of routes alone
  const group: RateLimitPluginOptions = { groupId: 'a' }
  t.ok([hook, max, list, group])
  t.end()
})
