// The plugin's own hook.
import rateLimit from '@respite/ratelimit'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { askHook } from '../ratelimit/ask-hook.mjs'
import { measured } from '../ratelimit/measure.mjs'
import { usedUp } from './used-up.mjs'

const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(rateLimit, { timeoutMs: 2_000, onStoreError: 'closed' })
const hook = app.rateLimit({ name: 'one', limit: 1, per: '10m', key: request => request.subject })
await app.ready()

const take = subject => askHook(app, hook, subject)

measured({
  check: take,
  questions: usedUp(take),
  close: () => app.close()
})
