// The plugin's own hook.
import rateLimit from '@respite/ratelimit'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { askHook } from './ask-hook.mjs'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const algorithm = process.env.BENCH_ALGORITHM
const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(rateLimit, { headers: [], timeoutMs: 2_000, onStoreError: 'closed' })
const optionsOf = ({ name, limit, windowMs }) => ({ name, limit, per: windowMs, key: request => request.subject, ...algorithm && { algorithm } })
const hook = app.rateLimit(limits.map(optionsOf))
const full = new Map([100, 1_000].map(units => [units, app.rateLimit(optionsOf(filled(units)))]))
await app.ready()

measured({
  check: subject => askHook(app, hook, subject),
  charge: units => askHook(app, full.get(units), 'one'),
  close: () => app.close()
})
