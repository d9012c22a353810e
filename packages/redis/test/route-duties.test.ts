import { gate } from '@respite/testing'
import fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import t from 'tap'
import type { Duty, DutyPhase, RequestGate, RouteInfo } from '../src/request-gate.ts'
import { createRequestGate } from '../src/route-duties.ts'

type Settle = (state: string, request: FastifyRequest, reply: FastifyReply, done: (error?: Error, answered?: true) => void) => void

/** A duty that writes down what happens to it. */
function scribe (log: string[], phase: DutyPhase, settle: Settle = (_, __, ___, done) => done()): Duty<string, string> {
  return {
    name: `the ${phase} plugin`,
    phase,
    configKey: phase,
    plan: route => route.config[phase] === 'skip' ? undefined : phase,
    start (plan) { log.push(`start ${plan}`); return plan },
    settle (state, request, reply, done) { log.push(`settle ${state}`); settle(state, request, reply, done) },
    cancel (state) { log.push(`cancel ${state}`) }
  }
}

function appWith (...duties: Duty<string, string>[]): { app: FastifyInstance, gate: RequestGate } {
  const app = fastify()
  const gate = createRequestGate(app)
  for (const duty of duties) gate.add(duty)
  app.get('/', async () => 'served')
  return { app, gate }
}

t.test('all starts run before the first settle, and settles run in the order of the phases, however they were added', async t => {
  const log: string[] = []
  const later: Settle = (_, __, ___, done) => { setImmediate(done) }
  const { app } = appWith(scribe(log, 'user-limits'), scribe(log, 'session', later), scribe(log, 'ip-limits', later))
  t.equal((await app.inject('/')).body, 'served')
  t.same(log, ['start ip-limits', 'start session', 'start user-limits', 'settle ip-limits', 'settle session', 'settle user-limits'])
})

t.test('a refusal cancels the later phases and answers with the error', async t => {
  const log: string[] = []
  const refuse: Settle = (_, __, ___, done) => { setImmediate(done, Object.assign(new TypeError('no'), { statusCode: 401 })) }
  const { app } = appWith(scribe(log, 'ip-limits'), scribe(log, 'session', refuse), scribe(log, 'user-limits'))
  t.equal((await app.inject('/')).statusCode, 401)
  t.same(log.slice(3), ['settle ip-limits', 'settle session', 'cancel user-limits'])
})

t.test('a duty that answers by itself ends the pass, at once or later', async t => {
  for (const answer of [
    (_, __, reply) => { reply.code(429).send('enough') },
    (_, __, reply, done) => { setImmediate(() => { reply.code(429).send('enough'); done() }) }
  ] satisfies Settle[]) {
    const log: string[] = []
    const { app } = appWith(scribe(log, 'ip-limits', answer), scribe(log, 'session'))
    const response = await app.inject('/')
    t.equal(response.statusCode, 429)
    t.equal(response.body, 'enough')
    t.same(log.slice(2), ['settle ip-limits', 'cancel session'])
  }
})

t.test('a duty that says it has answered ends the pass, also while a hook of the app still holds the answer', async t => {
  const answer: Settle = (_, __, reply, done) => { reply.code(429).send('enough'); done(undefined, true) }
  for (const settle of [answer, (...args) => { setImmediate(() => answer(...args)) }] satisfies Settle[]) {
    const log: string[] = []
    const held = gate()
    const { app } = appWith(scribe(log, 'ip-limits'), scribe(log, 'session', settle), scribe(log, 'user-limits'))
    app.addHook('preHandler', async () => { log.push('preHandler') })
    app.addHook('onSend', async () => { await held.pass() })
    app.get('/hooked', async () => { log.push('handler'); return 'served' })
    const response = app.inject('/hooked')
    await held.reached
    await new Promise(setImmediate)
    t.same(log.slice(3), ['settle ip-limits', 'settle session', 'cancel user-limits'])
    held.open()
    t.equal((await response).statusCode, 429)
    t.equal((await response).body, 'enough')
    t.same(log.slice(6), [], 'nothing runs after the answer')
  }
})

t.test('an error beside the word that it has answered refuses the request with the error', async t => {
  const log: string[] = []
  const { app } = appWith(scribe(log, 'ip-limits', (_, __, ___, done) => done(new TypeError('no'), true)), scribe(log, 'session'))
  t.match((await app.inject('/')).json(), { statusCode: 500, message: 'no' })
  t.same(log.slice(2), ['settle ip-limits', 'cancel session'])
})

t.test('a start or settle that throws fails the request and cancels what was started', async t => {
  const log: string[] = []
  const throwing = { ...scribe(log, 'session'), start: () => { throw new TypeError('start') } }
  const { app } = appWith(scribe(log, 'ip-limits'), throwing)
  t.match((await app.inject('/')).json(), { statusCode: 500, message: 'start' })
  t.same(log, ['start ip-limits', 'cancel ip-limits'])

  const log2: string[] = []
  const { app: app2 } = appWith(scribe(log2, 'ip-limits', () => { throw new TypeError('settle') }), scribe(log2, 'session'))
  t.match((await app2.inject('/')).json(), { statusCode: 500, message: 'settle' })
  t.same(log2.slice(2), ['settle ip-limits', 'cancel session'])
})

t.test('a handler that throws is not taken for a settle that throws', async t => {
  const log: string[] = []
  const { app } = appWith(scribe(log, 'ip-limits'), scribe(log, 'session'))
  app.get('/throws', () => { throw new TypeError('handler') })
  t.match((await app.inject('/throws')).json(), { message: 'handler' })
  t.same(log, ['start ip-limits', 'start session', 'settle ip-limits', 'settle session'])
})

t.test('a duty without a state for this request, or without a plan for this route, is not settled', async t => {
  const log: string[] = []
  const { app } = appWith({ ...scribe(log, 'ip-limits'), start: () => undefined }, scribe(log, 'session'))
  app.get('/skip', { config: { session: 'skip' } as object }, async () => 'served')
  await app.inject('/')
  await app.inject('/skip')
  t.same(log, ['start session', 'settle session'])
})

t.test('calls back twice: the second is ignored', async t => {
  const log: string[] = []
  const { app } = appWith(scribe(log, 'ip-limits', (_, __, ___, done) => { done(); done(new TypeError('again')) }))
  t.equal((await app.inject('/')).body, 'served')
})

t.test('plans are made once a route, and tell of its pattern, its method and its config', async t => {
  const routes: RouteInfo[] = []
  const { app } = appWith({ ...scribe([], 'session'), plan: route => { routes.push(route); return undefined } })
  app.route({ method: ['GET', 'POST'], url: '/users/:id', config: { session: 'a' } as object, handler: async () => 'served' })
  app.get('/plain', { exposeHeadRoute: false }, async () => 'served')
  app.head('/plain', async () => 'served')
  app.register(async child => { child.get('/', async () => 'served') }, { prefix: '/p' })
  for (const url of ['/users/1', '/users/2']) await app.inject(url)
  await app.inject({ method: 'POST', url: '/users/3' })
  for (const url of ['/users/1', '/plain', '/p', '/p/']) await app.inject({ method: 'HEAD', url })
  await app.inject('/nowhere')
  await app.inject('/neither')
  t.same(routes.map(({ method, pattern, notFound }) => [method, pattern, notFound]), [
    ['GET,POST', '/users/:id', false], ['GET,POST', '/users/:id', false], ['HEAD', '/plain', false],
    ['GET', '/p', false], ['GET', '/p', false], ['GET', '404', true]
  ])
  t.match(routes[0]!.config, { session: 'a' })
})

t.test('an unmatched path passes the gate: by the default answer, and by a handler of its own in a prefix', async t => {
  const log: string[] = []
  const { app } = appWith(scribe(log, 'ip-limits'))
  app.register(async child => { child.setNotFoundHandler((_, reply) => { reply.code(404).send('child') }) }, { prefix: '/child' })
  t.equal((await app.inject('/nowhere')).statusCode, 404)
  t.equal((await app.inject('/child/nowhere')).body, 'child')
  t.same(log, ['start ip-limits', 'settle ip-limits', 'start ip-limits', 'settle ip-limits'])
})

t.test('a route whose plan throws fails with that error at every request', async t => {
  let plans = 0
  const { app } = appWith({ ...scribe([], 'session'), plan: () => { plans++; throw new TypeError('bad config') } })
  t.match((await app.inject('/')).json(), { statusCode: 500, message: 'bad config' })
  t.match((await app.inject('/')).json(), { statusCode: 500, message: 'bad config' })
  t.equal(plans, 1)
})

t.test('a route that uses a plugin\'s config but was added before the plugin is refused; others pass', async t => {
  const app = fastify()
  const wants = { config: { session: 'required' } as object }
  const served = async () => 'served'
  app.get('/before-all', wants, served)
  app.register(async child => { child.get('/child-before-all', wants, served); child.get('/child-plain', served) })
  await app.register(async child => { child.register(async grandchild => { grandchild.get('/grandchild-before-all', wants, served) }) })
  let gate!: RequestGate
  await app.register(Object.assign(async (root: FastifyInstance) => { gate = createRequestGate(root) }, { [Symbol.for('skip-override')]: true }))
  app.get('/between', wants, served)
  app.get('/plain', { config: { other: 1 } as object }, served)
  app.get('/other-plugin', { config: { cache: 1 } as object }, served)
  gate.add(scribe([], 'session'))
  gate.claim('cache', '@respite/cache')
  app.get('/after', wants, served)
  app.register(async child => { child.get('/child-after', wants, served) })
  for (const url of ['/before-all', '/child-before-all', '/grandchild-before-all', '/between']) {
    const response = await app.inject(url)
    t.match(response.json(), { statusCode: 500, code: 'FST_RSP_ROUTE_BEFORE_PLUGIN', message: `GET ${url} has config.session, but was added before the session plugin` }, url)
  }
  t.match((await app.inject('/other-plugin')).json(), { code: 'FST_RSP_ROUTE_BEFORE_PLUGIN', message: /config\.cache.*@respite\/cache/ })
  t.match((await app.inject({ method: 'HEAD', url: '/between' })).statusCode, 500)
  for (const url of ['/after', '/child-after', '/plain', '/child-plain']) t.equal((await app.inject(url)).body, 'served', url)
})

t.test('a duty of one context is done for its routes and those of its children only', async t => {
  const app = fastify()
  const log: string[] = []
  const gate = createRequestGate(app)
  app.register(async child => {
    gate.add({ ...scribe(log, 'session'), within: child })
    child.get('/in', async () => 'served')
    child.register(async grandchild => { grandchild.get('/in/deep', async () => 'served') })
  })
  app.get('/out', { config: { session: 'required' } as object }, async () => 'served')
  for (const url of ['/out', '/in', '/in/deep']) t.equal((await app.inject(url)).body, 'served')
  t.same(log, ['start session', 'settle session', 'start session', 'settle session'])
})
