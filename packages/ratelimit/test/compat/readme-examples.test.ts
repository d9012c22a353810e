import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { alike, type Made, statusesOf, times } from './both.ts'

const hello = (text = 'world') => (_: FastifyRequest, reply: FastifyReply) => { reply.send({ hello: text }) }
const as = (headers: Record<string, string>, url = '/') => ({ url, headers })

t.test('a limit for all routes', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 100, timeWindow: '1 minute' })
      app.get('/', hello())
    },
    steps: [...times(101), 30_500, '/', 29_499, '/', 1, '/']
  })
  t.same(statusesOf(answers).slice(98), [200, 200, 429, 429, 429, 200])
  t.same(JSON.parse(answers[100]!.body), { statusCode: 429, error: 'Too Many Requests', message: 'Rate limit exceeded, retry in 1 minute' })
})

t.test('an error handler that changes the message', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 1 })
      app.setErrorHandler((error: { statusCode: number, message: string }, _request, reply) => {
        if (error.statusCode === 429) {
          reply.code(429)
          error.message = 'You hit the rate limit! Slow down please!'
        }
        reply.send(error)
      })
      app.get('/', hello())
    },
    steps: times(2)
  })
  t.match(answers[1], { status: 429, body: /Slow down please/ })
})

t.test('unknown routes, by the options of the plugin and by their own', async t => {
  for (const own of [undefined, { max: 4, timeWindow: 500 }]) {
    const answers = await alike(t, {
      async build ({ app, module }) {
        await app.register(module.rateLimit, { global: true, max: 2, timeWindow: 1000 })
        app.setNotFoundHandler({ preHandler: (app.rateLimit as any)(own) }, (_request, reply) => { reply.code(404).send({ hello: 'world' }) })
      },
      steps: [...times(5, '/nowhere'), 500, '/elsewhere', 500, '/elsewhere']
    })
    t.same(statusesOf(answers), own === undefined ? [404, 404, 429, 429, 429, 429, 404] : [404, 404, 404, 404, 429, 404, 404])
  }
})

t.test('all options at once', async t => {
  const answers = await alike(t, {
    async build ({ app, module, note }) {
      await app.register(module.rateLimit, {
        global: false,
        max: 3,
        ban: 2,
        timeWindow: 5000,
        hook: 'preHandler',
        cache: 10000,
        allowList: ['friend'],
        redis: null,
        nameSpace: 'teste-ratelimit-',
        continueExceeding: true,
        skipOnError: true,
        keyGenerator: (request: FastifyRequest) => request.headers['x-who'],
        ipv6Subnet: 64,
        errorResponseBuilder: (_: FastifyRequest, context: object) => ({ ...context, note: note(context) === undefined }),
        enableDraftSpec: true,
        addHeadersOnExceeding: { 'x-ratelimit-limit': true, 'x-ratelimit-remaining': true, 'x-ratelimit-reset': true },
        addHeaders: { 'x-ratelimit-limit': true, 'x-ratelimit-remaining': true, 'x-ratelimit-reset': true, 'retry-after': true }
      })
      app.get('/', { config: { rateLimit: {} } }, hello())
      app.get('/free', hello())
    },
    steps: [...times(7, as({ 'x-who': 'a' })), as({ 'x-who': 'friend' }), as({ 'x-who': 'b' }), '/free', 4_999, as({ 'x-who': 'a' }), 5_000, as({ 'x-who': 'a' })]
  })
  t.same(statusesOf(answers), [200, 200, 200, 429, 429, 403, 403, 200, 200, 200, 403, 200])
})

t.test('a key of headers', async t => {
  await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, {
        max: 2,
        keyGenerator: (request: FastifyRequest) => request.headers['x-real-ip'] || request.headers['x-client-ip'] || request.ip
      })
      app.get('/', hello())
    },
    steps: [...times(3, as({ 'x-real-ip': '192.0.2.1' })), ...times(3, as({ 'x-client-ip': '192.0.2.2' })), ...times(3)]
  })
})

t.test('a limit that varies', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, {
        keyGenerator: (request: FastifyRequest) => request.headers['service-key'],
        max: async (_: FastifyRequest, key: string) => key === 'pro' ? 3 : 2,
        timeWindow: 1000
      })
      app.get('/', hello())
    },
    steps: [...times(4, as({ 'service-key': 'pro' })), ...times(3, as({ 'service-key': 'free' })), ...times(3)]
  })
  t.same(statusesOf(answers), [200, 200, 200, 429, 200, 200, 429, 200, 200, 429])
})

t.test('a body of the app', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, {
        max: 1,
        errorResponseBuilder: (_: FastifyRequest, context: any) => ({
          statusCode: 429,
          error: 'Too Many Requests',
          message: `I only allow ${context.max} requests per ${context.after} to this Website. Try again soon.`,
          date: Date.now(),
          expiresIn: context.ttl
        })
      })
      app.get('/', hello())
    },
    steps: ['/', 12_345, '/']
  })
  t.match(JSON.parse(answers[1]!.body), { message: /I only allow 1 requests per 48 seconds/, expiresIn: 47_655 })
})

t.test('an allow list that is a function, async too', async t => {
  for (const isAsync of [false, true]) {
    const answers = await alike(t, {
      async build ({ app, module, note }) {
        const isInternal = (request: FastifyRequest, key: string) => {
          note(key)
          return request.headers['x-app-client-id'] === 'internal-usage'
        }
        await app.register(module.rateLimit, { max: 1, allowList: isAsync ? async (request: FastifyRequest, key: string) => isInternal(request, key) : isInternal })
        app.get('/', hello())
      },
      steps: [...times(2, as({ 'x-app-client-id': 'internal-usage' })), ...times(2)]
    })
    t.same(statusesOf(answers), [200, 200, 200, 429])
  }
})

t.test('a hook after authentication', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 1, hook: 'preHandler', keyGenerator: (request: any) => request.userId || request.ip })
      app.decorateRequest('userId', '')
      app.addHook('preHandler', async (request: any) => {
        const { userId } = request.query
        if (userId) request.userId = userId
      })
      app.get('/', hello())
    },
    steps: [...times(2, '/?userId=ann'), ...times(2, '/?userId=bob'), ...times(2)]
  })
  t.same(statusesOf(answers), [200, 429, 200, 429, 200, 429])
})

t.test('a store of the app', async t => {
  const answers = await alike(t, {
    async build ({ app, module, note }) {
      class CustomStore {
        current = 0
        options: any
        constructor (options: any) {
          this.options = options
          note({ timeWindow: options.timeWindow, max: options.max, continueExceeding: options.continueExceeding, routeInfo: options.routeInfo?.url })
        }

        incr (_key: string, callback: (error: null, result: object) => void, timeWindow: number, max: number) {
          this.current++
          note([timeWindow, max])
          callback(null, { current: this.current, ttl: timeWindow - (this.current * 1000) })
        }

        child (routeOptions: object) {
          return new CustomStore({ ...this.options, ...routeOptions })
        }
      }
      await app.register(module.rateLimit, { max: 2, timeWindow: '10 seconds', store: CustomStore })
      app.get('/', { exposeHeadRoute: false }, hello())
      app.get('/own', { exposeHeadRoute: false, config: { rateLimit: { max: 1 } } }, hello())
    },
    steps: [...times(3), ...times(2, '/own')]
  })
  t.same(statusesOf(answers), [200, 200, 429, 200, 429])
})

t.test('what the app is told of each request', async t => {
  const answers = await alike(t, {
    async build ({ app, module, note }) {
      const told = (name: string) => (request: FastifyRequest, key: string) => note([name, request.url, key])
      await app.register(module.rateLimit, { max: 1, ban: 1, onExceeding: told('exceeding'), onExceeded: told('exceeded'), onBanReach: told('banned') })
      app.get('/', hello())
    },
    steps: times(4)
  })
  t.same(statusesOf(answers), [200, 429, 403, 403])
  t.match(JSON.parse(answers[2]!.body), { statusCode: 403, error: 'Forbidden' })
})

async function routesOfTheirOwn ({ app, module, note }: Made): Promise<void> {
  await app.register(module.rateLimit, { global: false, max: 5, allowList: ['192.168.0.10'] })
  const minute = (more = {}) => ({ config: { rateLimit: { max: 3, timeWindow: '1 minute', ...more } } })
  app.get('/', minute(), hello('from ... root'))
  app.get('/private', minute(), hello('from ... private'))
  app.get('/public', hello('from ... public'))
  const { max: _, ...inherited } = minute().config.rateLimit
  const told = (name: string) => (_: FastifyRequest, key: string) => note([name, key])
  app.get('/public/sub-rated-1', { config: { rateLimit: { ...inherited, allowList: ['127.0.0.3'], onExceeding: told('exceeding'), onExceeded: told('exceeded') } } }, hello('from sub-rated-1'))
  app.get('/otp/send', minute({ groupId: 'OTP', onExceeding: told('group') }), hello('from ... grouped rate limit'))
  app.get('/customerrormessage', minute({ max: 2, errorResponseBuilder: (_: FastifyRequest, context: any) => ({ code: 429, timeWindow: context.after, limit: context.max }) }), hello('toto'))
}

t.test('routes with options of their own, over those of the plugin', async t => {
  const from = (remoteAddress: string, url: string) => ({ url, remoteAddress })
  const answers = await alike(t, {
    build: routesOfTheirOwn,
    steps: [
      ...times(4), ...times(4, '/private'), ...times(4, '/public'), ...times(6, '/public/sub-rated-1'), ...times(4, '/otp/send'), ...times(3, '/customerrormessage'),
      ...times(4, from('192.168.0.10', '/')), ...times(6, from('192.168.0.10', '/public/sub-rated-1')), ...times(6, from('127.0.0.3', '/public/sub-rated-1'))
    ]
  })
  t.same(statusesOf(answers).join(' '), [
    ...[200, 200, 200, 429], ...[200, 200, 200, 429], ...times(4, 200), ...[...times(5, 200), 429], ...[200, 200, 200, 429], ...[200, 200, 500],
    ...times(4, 200), ...[...times(5, 200), 429], ...times(6, 200)
  ].join(' '))
})

t.test('a limit for all routes, with routes that have none or another', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 4, timeWindow: '1 minute' })
      app.get('/', hello('from ... rate limited root'))
      app.get('/also', hello())
      app.get('/public', { config: { rateLimit: false } }, hello('from ... public'))
      app.get('/private', { config: { rateLimit: { max: 2 } } }, hello('from ... private and more limited'))
    },
    steps: [...times(3), ...times(2, '/also'), ...times(6, '/public'), ...times(3, '/private')]
  })
  t.same(statusesOf(answers), [200, 200, 200, 200, 429, ...new Array(6).fill(200), 200, 200, 429])
})

t.test('checks by hand, by the options of the plugin and by their own', async t => {
  const answers = await alike(t, {
    async build ({ app, module, note }) {
      await app.register(module.rateLimit, { global: false, max: 2, timeWindow: '1 minute', allowList: ['192.0.2.7'] })
      const check = (url: string, limit: (request: FastifyRequest) => Promise<any>) => app.get(url, async (request, reply) => {
        const standing = await limit(request)
        note(standing)
        if (!standing.isAllowed && standing.isExceeded) return reply.code(429).send('Limit exceeded')
        return reply.send('Hello world')
      })
      check('/', app.createRateLimit())
      check('/custom', app.createRateLimit({ max: 1, ban: 1 }))
      check('/window', app.createRateLimit({ timeWindow: async () => 1_500, max: () => 3, keyGenerator: () => 7 }))
    },
    steps: [...times(3), 20_100, ...times(3, '/custom'), ...times(4, '/window'), 1_499, '/window', 1, '/window', { url: '/', remoteAddress: '192.0.2.7' }]
  })
  t.same(statusesOf(answers), [200, 200, 429, 200, 429, 429, 200, 200, 200, 429, 429, 200, 200])
})

t.test('a log-in that counts only failures', async t => {
  const answers = await alike(t, {
    async build ({ app, module, note }) {
      await app.register(module.rateLimit, { global: false })
      const check = app.createRateLimit({ max: 2, timeWindow: '1 minute' })
      app.post('/login', async (request, reply) => {
        const status: any = await check(request, { increment: false })
        note(status)
        if (status.isExceeded) return reply.code(429).send({ error: 'Too many attempts' })
        if ((request.body as { password: string }).password === 'right') return { ok: true }
        note(await check(request))
        return reply.code(401).send({ error: 'Invalid credentials' })
      })
    },
    steps: ['wrong', 'right', 'right', 'wrong', 'right', 'wrong', 'right'].flatMap(password => [{ method: 'POST' as const, url: '/login', payload: { password } }, 100])
  })
  t.same(statusesOf(answers), [401, 200, 200, 401, 200, 401, 429])
})

t.test("headers by the IETF's draft", async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 1, timeWindow: 90_000, enableDraftSpec: true })
      app.get('/', hello())
    },
    steps: times(2)
  })
  t.match(answers[1]!.headers, { 'ratelimit-limit': '1', 'ratelimit-remaining': '0', 'ratelimit-reset': '90', 'retry-after': '90' })
})
