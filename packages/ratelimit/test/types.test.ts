import rateLimit, { type Decision, type ErrorBuilder, presets, type RateLimitOptions, type RouteRateLimit } from '@respite/ratelimit'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import { makeApp, served } from './app.ts'

t.test('options and limits are typed', async t => {
  const options: RateLimitOptions = {
    limits: [presets.api, { ...presets.user, limit: 500 }, { name: 'rate', rate: '10/5s', burst: 3 }],
    named: [{ name: 'key', limit: 1, per: 1_000, key: async request => request.headers['x-tenant']?.toString() }],
    headers: ['x-ratelimit', 'draft'],
    onStoreError: 'closed'
  }
  // @ts-expect-error the option is unknown
  const unknown: RateLimitOptions = { limit: [] }
  // @ts-expect-error a limit has a name
  const nameless: RateLimitOptions = { limits: [{ limit: 1, per: '1m' }] }
  // @ts-expect-error there is no such header form
  const form: RateLimitOptions = { headers: ['retry-after'] }
  // @ts-expect-error a key is a text, a number or nothing
  const key: RateLimitOptions = { limits: [{ name: 'a', rate: '1/m', key: () => true }] }
  // @ts-expect-error a duration has a unit
  const duration: RateLimitOptions = { limits: [{ name: 'a', limit: 1, per: '1 minute' }] }
  await makeApp(t, options)
  for (const wrong of [unknown, nameless, form, duration]) await t.rejects(makeApp(t, wrong), { code: /^FST_RSP_/ })
  t.ok(key)
})

t.test('presets are fixed, and can be spread', t => {
  const limit: 100 = presets.api.limit
  // @ts-expect-error they are read-only
  t.throws(() => { presets.api = presets.auth })
  t.equal(limit, 100)
  t.end()
})

t.test('a builder of the body is typed by request and refusal', t => {
  const object: ErrorBuilder = (request, refusal) => ({ id: request.id, after: refusal.retryAfter?.toFixed(), names: refusal.violations.map(({ name }) => name) })
  const error: ErrorBuilder = (_, { message }) => new TypeError(message)
  // @ts-expect-error it must make something
  const nothing: ErrorBuilder = () => undefined
  // @ts-expect-error a refusal is always a 429
  const status: ErrorBuilder = (_, refusal) => ({ gone: refusal.statusCode === 410 })
  t.ok([object, error, nothing, status, rateLimit])
  t.end()
})

t.test('what a route and fastify.rateLimit take is typed', async t => {
  const { app } = await makeApp(t, { named: [{ name: 'sms', rate: '1/m' }] })
  const typed: FastifyInstance = app
  const config: RouteRateLimit = ['sms', presets.api]
  typed.get('/', { config: { rateLimit: config }, preHandler: typed.rateLimit(presets.user) }, served)
  typed.get('/none', { config: { rateLimit: false } }, served)
  // @ts-expect-error true says nothing
  t.throws(() => typed.get('/true', { config: { rateLimit: true } }, served))
  // @ts-expect-error a hook has limits
  t.throws(() => typed.rateLimit(false))
  // @ts-expect-error a key is a text or a number
  await t.rejects(typed.rateLimit.take('sms', {}))
  // @ts-expect-error a cost is a number
  await t.rejects(typed.rateLimit.take('sms', 'a', { cost: '1' }))
  const decision: Decision = await typed.rateLimit.take('sms', 1)
  const remaining: number | undefined = decision.remaining
  await typed.rateLimit.setLimit('sms', { limit: 1, per: '1m' })
  await typed.rateLimit.setLimit('sms', null)
  // @ts-expect-error an algorithm stays
  await t.rejects(typed.rateLimit.setLimit('sms', { algorithm: 'gcra' }))
  // @ts-expect-error a duration has a unit
  await t.rejects(typed.rateLimit.block('sms', 'b', '1 minute'))
  const names: string[] = typed.rateLimit.stats().limits.map(({ name }) => name)
  t.ok(names.includes('sms'))
  // @ts-expect-error nobody may know what remains
  const certain: number = decision.remaining
  t.same([remaining, certain, decision.by satisfies 'store' | 'local' | 'none'], [0, 0, 'store'])
})
