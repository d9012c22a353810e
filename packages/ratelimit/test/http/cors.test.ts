import cors, { type FastifyCorsOptions } from '@fastify/cors'
import type { FastifyInstance, InjectOptions } from 'fastify'
import Fastify from 'fastify'
import redis from '@respite/redis'
import t, { type Test } from 'tap'
import rateLimit, { type RateLimitOptions } from '../../src/index.ts'
import { served } from '../app.ts'

const never = { name: 'never', limit: 0, per: '1m' } as const
const page = 'https://page.example'
const ask: InjectOptions = { url: '/', headers: { origin: page } }
const allowed = { 'access-control-allow-origin': page, 'access-control-allow-credentials': 'true', 'access-control-expose-headers': 'retry-after' }

/** Registers both in an order, then the routes. */
async function ordered (t: Test, first: 'cors' | 'limits', { limits = { limits: [never] } as RateLimitOptions, corsOptions = {} as FastifyCorsOptions, before = (_: FastifyInstance) => {} } = {}) {
  const app = Fastify()
  t.teardown(() => app.close())
  const registerCors = () => app.register(cors, { origin: [page], credentials: true, exposedHeaders: ['retry-after'], ...corsOptions })
  if (first === 'cors') await registerCors()
  await app.register(redis, { embedded: true })
  await app.register(rateLimit, limits)
  if (first === 'limits') await registerCors()
  before(app)
  app.get('/', served)
  app.post('/', served)
  return app
}

for (const first of ['cors', 'limits'] as const) {
  t.test(`${first} first: a 429 has the headers that a page needs to see it`, async t => {
    const app = await ordered(t, first)
    for (const request of [ask, { ...ask, method: 'POST', payload: { a: 1 } }, { ...ask, url: '/nowhere' }] as const) {
      const { statusCode, headers } = await app.inject(request)
      t.equal(statusCode, 429)
      t.match(headers, { ...allowed, vary: /\borigin\b/i })
    }
    const { headers } = await app.inject({ url: '/', headers: { origin: 'https://other.example' } })
    t.equal(headers['access-control-allow-origin'], undefined, 'a page that is not allowed has none')
  })

  t.test(`${first} first: a preflight is answered, and counted by no limit`, async t => {
    const app = await ordered(t, first, { limits: { limits: [{ ...never, limit: 1 }] } })
    for (let i = 0; i < 3; i++) {
      const preflight = await app.inject({ method: 'OPTIONS', url: '/', headers: { origin: page, 'access-control-request-method': 'POST' } })
      t.equal(preflight.statusCode, 204)
      t.match(preflight.headers, { 'access-control-allow-origin': page, 'access-control-allow-methods': /POST/ })
    }
    t.same([(await app.inject(ask)).statusCode, (await app.inject(ask)).statusCode], [200, 429])
  })

  t.test(`${first} first: limits by user and by key, an address that is denied, and a limit that is closed`, async t => {
    for (const limits of [
      { limits: [{ ...never, by: 'user' }] },
      { limits: [{ ...never, key: () => 'k' }] },
      { limits: [never], errorBuilder: () => new TypeError('of the app') },
      { deny: ['127.0.0.1'] }
    ] as RateLimitOptions[]) {
      const app = await ordered(t, first, { limits })
      t.match((await app.inject(ask)).headers, allowed)
    }
    const closed = Fastify()
    t.teardown(() => closed.close())
    if (first === 'cors') await closed.register(cors, { origin: page })
    await closed.register(redis, { url: 'redis://127.0.0.1:1' })
    await closed.register(rateLimit, { limits: [never], onStoreError: 'closed' })
    if (first === 'limits') await closed.register(cors, { origin: page })
    closed.get('/', served)
    const { statusCode, headers } = await closed.inject(ask)
    t.equal(statusCode, 503)
    t.match(headers, { 'access-control-allow-origin': page })
  })
}

t.test('limits first: origins that a function allows later, and those that it fails on', async t => {
  const origin = (asked: string | undefined, done: (error: Error | null, allowed: boolean) => void) => setImmediate(done, asked === page ? null : new TypeError('down'), true)
  const app = await ordered(t, 'limits', { corsOptions: { origin } })
  t.match((await app.inject(ask)).headers, allowed)
  const failed = await app.inject({ url: '/', headers: { origin: 'https://other.example' } })
  t.equal(failed.statusCode, 429)
  t.equal(failed.headers['access-control-allow-origin'], undefined)
})

for (const hook of ['preParsing', 'preValidation', 'preHandler', 'preSerialization'] as const) {
  t.test(`@fastify/cors as a ${hook} hook, which comes after the limits in any order`, async t => {
    const app = await ordered(t, 'cors', { corsOptions: { hook } })
    const { statusCode, headers } = await app.inject(ask)
    t.equal(statusCode, 429)
    t.match(headers, allowed)
  })
}

t.test('@fastify/cors of a child context holds for its routes alone, with limits of all routes and of its own', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { embedded: true })
  await app.register(rateLimit, { limits: [{ ...never, limit: 2 }] })
  await app.register(async child => {
    await child.register(cors, { origin: page })
    child.get('/child', served)
    child.get('/own', { config: { rateLimit: { ...never, name: 'own' } } }, served)
  })
  app.get('/', served)
  const own = await app.inject({ ...ask, url: '/own' })
  t.same([(await app.inject({ ...ask, url: '/child' })).statusCode, (await app.inject({ ...ask, url: '/child' })).statusCode], [200, 200])
  const [child, root] = [await app.inject({ ...ask, url: '/child' }), await app.inject(ask)]
  t.same([own.statusCode, child.statusCode, root.statusCode], [429, 429, 429])
  t.equal(own.headers['access-control-allow-origin'], page)
  t.equal(child.headers['access-control-allow-origin'], page)
  t.equal(root.headers['access-control-allow-origin'], undefined)
})

t.test('limits of a child context, with @fastify/cors of the app around it', async t => {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { embedded: true })
  await app.register(async child => {
    await child.register(rateLimit, { limits: [never] })
    child.get('/', served)
  })
  await app.register(cors, { origin: page })
  const { statusCode, headers } = await app.inject(ask)
  t.equal(statusCode, 429)
  t.equal(headers['access-control-allow-origin'], page)
})

t.test('for who is refused no other hook runs that comes after the limits, and no body is read', async t => {
  // Else who is refused learns from a look at a password that comes after the limits whether it was right.
  const ran: string[] = []
  const app = await ordered(t, 'limits', {
    before: app => {
      app.addHook('onRequest', async () => { ran.push('onRequest') })
      app.addHook('preParsing', async () => { ran.push('preParsing') })
      app.addContentTypeParser('text/x', (_, payload, done) => {
        ran.push('parser')
        payload.resume()
        done(null, undefined)
      })
    }
  })
  app.get('/admin', { onRequest: async (_, reply) => reply.code(401).send() }, served)
  const response = await app.inject({ ...ask, method: 'POST', headers: { origin: page, 'content-type': 'text/x' }, payload: 'x'.repeat(10_000) })
  t.equal(response.statusCode, 429)
  t.match(response.headers, allowed)
  t.equal((await app.inject({ ...ask, url: '/admin' })).statusCode, 429)
  t.same(ran, [])
})
