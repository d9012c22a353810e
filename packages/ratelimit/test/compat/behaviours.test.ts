import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { alike, type Answer, type Made, statusesOf, type Step, times } from './both.ts'

const served = async () => 'served'
const from = (remoteAddress: string, url = '/') => ({ url, remoteAddress })

/** An app with one route, limited by these options. */
const limited = (options: object, route: object = {}) => async ({ app, module }: Made) => {
  await app.register(module.rateLimit, options)
  app.get('/', { config: { rateLimit: route } } as object, served)
}

t.test('a window begins with its first request, and a new one when it is over', async t => {
  const answers = await alike(t, { build: limited({ max: 2, timeWindow: 1_000 }), steps: ['/', 600, '/', '/', 399, '/', 1, '/', '/', '/', 999, '/', 1, '/'] })
  t.same(statusesOf(answers), [200, 200, 429, 429, 200, 200, 429, 429, 200])
})

t.test('a refused request begins the window anew, if told to', async t => {
  const answers = await alike(t, { build: limited({ max: 1, timeWindow: 1_000, continueExceeding: true, exponentialBackoff: true }), steps: ['/', 900, '/', 900, '/', 999, '/', 1_000, '/'] })
  t.same(statusesOf(answers), [200, 429, 429, 429, 200])
})

t.test('each refused request doubles what is told to wait, up to the largest whole number', async t => {
  const answers = await alike(t, { build: limited({ max: 1, timeWindow: '30 minutes', exponentialBackoff: true }), steps: times(50) })
  t.same(answers.slice(0, 4).map(({ headers }) => headers['x-ratelimit-reset']), ['1800', '1800', '3600', '7200'])
  t.match(answers[49]!.body, /285421 years/)
})

t.test('bans after so many refusals, or at once', async t => {
  for (const ban of [-1, 0, 2]) {
    const answers = await alike(t, { build: limited({ max: 1, ban }), steps: times(5) })
    t.same(statusesOf(answers), [200, ...{ '-1': [429, 429, 429, 429], 0: [403, 403, 403, 403], 2: [429, 429, 403, 403] }[String(ban)]!])
  }
})

t.test('admits nobody, and has windows of no length', async t => {
  t.same(statusesOf(await alike(t, { build: limited({ max: 0, exponentialBackoff: true }), steps: times(3) })), [429, 429, 429])
  t.same(statusesOf(await alike(t, { build: limited({ max: 1, timeWindow: 0 }), steps: times(3) })), [200, 200, 200])
})

t.test('reads windows in words and of functions', async t => {
  for (const timeWindow of ['2s', '1 hour', '1.5 MINUTES', '90', '3 days', '2 weeks', '1y', async () => 40_000, (_: FastifyRequest, key: string) => key.length * 1_000]) {
    await alike(t, { build: limited({ max: 1, timeWindow }), steps: times(3) })
    await alike(t, { build: limited({ max: 9 }, { max: 1, timeWindow }), steps: times(3) })
  }
})

t.test('writes the headers that are wanted', async t => {
  const all = ['x-ratelimit-limit', 'x-ratelimit-remaining', 'x-ratelimit-reset', 'ratelimit-limit', 'ratelimit-reset', 'retry-after']
  for (const name of all) {
    for (const enableDraftSpec of [false, true]) {
      const choice = { addHeaders: { [name]: false }, addHeadersOnExceeding: { [name]: false } }
      await alike(t, { build: limited({ max: 1, enableDraftSpec, ...choice }), steps: times(2) })
      // A route's choice is complete.
      await alike(t, { build: limited({ max: 1, enableDraftSpec }, choice), steps: times(2) })
      await alike(t, { build: limited({ max: 1, enableDraftSpec }, { addHeaders: { [name]: true } }), steps: times(2) })
    }
  }
})

t.test('is checked in its hook, after those of the route', async t => {
  for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
    for (const many of [false, true]) {
      const answers = await alike(t, {
        async build ({ app, module, note }) {
          await app.register(module.rateLimit, { max: 1, hook })
          const own = async () => { note(`own ${hook}`) }
          app.get('/', { [hook]: many ? [own, own] : own, preHandler: async () => { note('preHandler') } }, served)
          app.get('/other', { config: { rateLimit: { hook: 'preHandler', onExceeding: () => note('other') } }, onRequest: async () => { note('onRequest') } }, served)
        },
        steps: [...times(2), '/other']
      })
      t.same(statusesOf(answers), [200, 429, 200])
    }
  }
})

t.test('counts a HEAD apart from its GET where the route has options, and a route of several methods once', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 9 })
      const config = { rateLimit: { max: 2 } }
      app.get('/', { config }, served)
      app.route({ method: ['PUT', 'PATCH'], url: '/', config, handler: served })
    },
    steps: [{ method: 'HEAD', url: '/' }, '/', { method: 'HEAD', url: '/' }, { method: 'PUT', url: '/' }, { method: 'PATCH', url: '/' }, { method: 'PUT', url: '/' }]
  })
  t.same(statusesOf(answers), [200, 200, 200, 200, 200, 429])
})

t.test('counts by normalised addresses', async t => {
  const behind = (ip: string) => ({ url: '/', headers: { 'x-forwarded-for': ip } })
  for (const ipv6Subnet of [undefined, 48, 128]) {
    await alike(t, {
      server: { trustProxy: '127.0.0.1' },
      build: limited({ max: 1, ipv6Subnet }),
      steps: ['192.0.2.1', '::ffff:192.0.2.1', '2001:db8:abcd:12::1', '2001:0DB8:abcd:0012::2', '2001:db8:abcd:13::1', '2001:db8:abcd:12::1'].map(behind)
    })
  }
})

t.test('a request is counted by each registration that its route is in, each with its own count', async t => {
  const answers = await alike(t, {
    async build ({ app, module, note }) {
      await app.register(module.rateLimit, { max: 3, timeWindow: 10_000, onExceeding: () => note('outer') })
      app.get('/', served)
      await app.register(async child => {
        await child.register(module.rateLimit, { max: 2, timeWindow: 20_000, onExceeding: () => note('inner') })
        child.get('/', served)
        child.get('/free', { config: { rateLimit: false } }, served)
        child.get('/by-hook', { config: { rateLimit: false }, preHandler: child.rateLimit() }, served)
      }, { prefix: '/child' })
      await app.register(async sibling => {
        sibling.get('/', { config: { rateLimit: { max: 1 } } }, served)
      }, { prefix: '/sibling' })
    },
    steps: [...times(3, '/child'), ...times(2), ...times(4, '/child/free'), ...times(2, '/child/by-hook'), ...times(2, '/sibling')]
  })
  t.same(statusesOf(answers), [200, 200, 429, 429, 429, 200, 200, 200, 200, 429, 429, 200, 429])
})

t.test('two registrations in one context, for different requests', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 1, allowList: (request: FastifyRequest) => request.url !== '/test' })
      await app.register(module.rateLimit, { max: 2, allowList: (request: FastifyRequest) => request.url === '/test' })
      app.get('/', served)
      app.get('/test', served)
    },
    steps: [...times(3), ...times(2, '/test')]
  })
  t.same(statusesOf(answers), [200, 200, 429, 200, 429])
})

t.test('a hook on a route that is limited already counts nothing', async t => {
  const answers = await alike(t, {
    async build ({ app, module }) {
      await app.register(module.rateLimit, { max: 2 })
      app.get('/', { preHandler: (app.rateLimit as any)({ max: 1 }) }, served)
      app.get('/own', { config: { rateLimit: false }, preHandler: [(app.rateLimit as any)({ max: 1 }), (app.rateLimit as any)({ max: 1 })] }, served)
    },
    steps: [...times(3), ...times(2, '/own')]
  })
  t.same(statusesOf(answers), [200, 200, 429, 200, 429])
})

t.test('a store that fails is skipped, or fails the request', async t => {
  class Failing {
    incr (_key: string, callback: (error: Error) => void) { callback(new RangeError('out of order')) }
    child () { return new Failing() }
  }
  for (const skipOnError of [false, true]) {
    const answers = await alike(t, { build: limited({ max: 2, store: Failing, skipOnError }), steps: times(3) })
    t.same(statusesOf(answers), times(3, skipOnError ? 200 : 500))
  }
})

t.test('functions of the app that fail, fail the request', async t => {
  const fail = () => { throw new RangeError('of the app') }
  const functions = [{ keyGenerator: fail }, { allowList: fail }, { max: fail }, { timeWindow: fail }, { onExceeding: fail }, { onExceeded: fail }, { onBanReach: fail, ban: 0 }]
  for (const options of [...functions, { errorResponseBuilder: fail }]) {
    const answers: Answer[] = await alike(t, { build: limited({ max: 1, ...options }), steps: times(2) })
    t.ok(statusesOf(answers).includes(500), JSON.stringify(Object.keys(options)))
  }
})

t.test('an error of the app is thrown as it is', async t => {
  const errors = [() => Object.assign(new RangeError('mine'), { statusCode: 418 }), () => ({ statusCode: 420, calm: true }), () => new RangeError('without a status')]
  for (const errorResponseBuilder of errors) {
    for (const handled of [false, true]) {
      const steps: Step[] = times(2)
      await alike(t, {
        async build (made) {
          if (handled) made.app.setErrorHandler((error: Error, _request, reply) => reply.code(430).send({ seen: error.message ?? error }))
          await limited({ max: 1, errorResponseBuilder })(made)
        },
        steps
      })
    }
  }
})

t.test('keys of an allow list, of the plugin and of a route', async t => {
  const answers = await alike(t, {
    build: async made => {
      await limited({ max: 1, allowList: ['192.0.2.1'] }, { allowList: ['192.0.2.2'] })(made)
      made.app.get('/all', served)
    },
    steps: [...times(2, from('192.0.2.1')), ...times(2, from('192.0.2.2')), ...times(2, from('192.0.2.1', '/all')), ...times(2, from('192.0.2.2', '/all'))]
  })
  t.same(statusesOf(answers), [200, 429, 200, 200, 200, 200, 200, 429])
})
