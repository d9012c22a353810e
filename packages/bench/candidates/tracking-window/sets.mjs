// A set a day, and the size of their union: what an exact count takes.
import { Redis } from 'ioredis6'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL)
const keys = new Set()

measured({
  async see (atMs, users) {
    const key = `visits:${new Date(atMs).toISOString().slice(0, 10)}`
    keys.add(key)
    await redis.sadd(key, ...users)
  },
  async count () {
    const value = await redis.sunionstore('union', ...keys)
    await redis.unlink('union')
    return value
  },
  close: () => redis.disconnect()
})
