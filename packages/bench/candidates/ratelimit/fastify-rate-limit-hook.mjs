// The hook of @fastify/rate-limit over its store, as its README registers it: a hook a limit.
import rateLimit from '@fastify/rate-limit'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { askHook } from './ask-hook.mjs'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const app = Fastify()
await app.register(rateLimit, { global: false, redis })
await app.ready()
const hookOf = ({ name, limit, windowMs }) => app.rateLimit({ max: limit, timeWindow: windowMs, keyGenerator: request => `${name}:${request.subject}` })
const hooks = limits.map(hookOf)
const full = new Map([100, 1_000].map(units => [units, hookOf(filled(units))]))

const check = (hook, subject) => askHook(app, hook, subject)

measured({
  check: async subject => {
    for (const hook of hooks) if (!await check(hook, subject)) return false
    return true
  },
  charge: units => check(full.get(units), 'one'),
  close: async () => {
    await app.close()
    redis.disconnect()
  }
})
