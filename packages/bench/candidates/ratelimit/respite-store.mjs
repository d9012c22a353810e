// Our store class for @fastify/rate-limit, asked as it asks its own.
import { RespiteStore } from '@respite/ratelimit/compat'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.ready()
const store = new (RespiteStore.over(app.respite, { timeoutMs: 2_000 }))({})
const take = ({ name, limit, windowMs }, subject) => new Promise((resolve, reject) => {
  store.incr(`${name}:${subject}`, (error, answer) => error ? reject(error) : resolve(answer.current <= limit), windowMs, limit)
})

measured({
  check: async subject => !(await Promise.all(limits.map(limit => take(limit, subject)))).includes(false),
  charge: units => take(filled(units), 'one'),
  close: () => app.close()
})
