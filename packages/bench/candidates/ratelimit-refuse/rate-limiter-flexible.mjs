// rate-limiter-flexible with its block in memory, which spares Redis too.
import { Redis } from 'ioredis'
import { RateLimiterRedis } from 'rate-limiter-flexible'
import { measured } from '../ratelimit/measure.mjs'
import { usedUp } from './used-up.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const limiter = new RateLimiterRedis({ storeClient: redis, keyPrefix: 'one', points: 1, duration: 600, inMemoryBlockOnConsumed: 1 })
const take = subject => limiter.consume(subject).then(() => true, error => { if (error instanceof Error) throw error; return false })

measured({
  check: take,
  questions: usedUp(take),
  close: () => redis.disconnect()
})
