// A HyperLogLog a day, and PFCOUNT of all of them.
import { Redis } from 'ioredis6'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL)
const keys = new Set()

measured({
  async see (atMs, users) {
    const key = `visits:${new Date(atMs).toISOString().slice(0, 10)}`
    keys.add(key)
    await redis.pfadd(key, ...users)
  },
  count: () => redis.pfcount(...keys),
  close: () => redis.disconnect()
})
