// rate-limiter-flexible as its README says; several limits by its union.
import { Redis } from 'ioredis'
import { RateLimiterRedis, RateLimiterUnion } from 'rate-limiter-flexible'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const limiterOf = ({ name, limit, windowMs }) => new RateLimiterRedis({ storeClient: redis, keyPrefix: name, points: limit, duration: windowMs / 1_000 })
const each = limits.map(limiterOf)
const all = each.length === 1 ? each[0] : new RateLimiterUnion(...each)
const full = new Map([100, 1_000].map(units => [units, limiterOf(filled(units))]))

measured({
  check: subject => all.consume(subject).then(() => true, error => { if (error instanceof Error) throw error; return false }),
  charge: units => full.get(units).consume('one'),
  close: () => redis.disconnect()
})
