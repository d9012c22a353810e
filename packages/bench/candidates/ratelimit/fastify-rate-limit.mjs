// The store of @fastify/rate-limit, one call a limit: it cannot ask for several at once.
import { createRequire } from 'node:module'
import { Redis } from 'ioredis'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const RedisStore = createRequire(import.meta.url)('@fastify/rate-limit/store/RedisStore.js')
const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const store = new RedisStore(false, false, redis)
const take = ({ name, limit, windowMs }, subject) => new Promise((resolve, reject) => {
  store.incr(`${name}:${subject}`, (error, answer) => error ? reject(error) : resolve(answer.current <= limit), windowMs, limit)
})

measured({
  check: async subject => !(await Promise.all(limits.map(limit => take(limit, subject)))).includes(false),
  charge: units => take(filled(units), 'one'),
  close: () => redis.disconnect()
})
