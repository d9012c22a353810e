// A ZINCRBY an event, pipelined: the exact count of everybody.
import { Redis } from 'ioredis6'
import { measured } from './measure.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL)

measured({
  async see (users) {
    const pipeline = redis.pipeline()
    for (const user of users) pipeline.zincrby('calls', 1, user)
    await pipeline.exec()
  },
  async top (k) {
    const ranked = await redis.zrevrange('calls', 0, k - 1, 'WITHSCORES')
    return Array.from({ length: ranked.length / 2 }, (_, i) => ({ id: ranked[2 * i], count: Number(ranked[2 * i + 1]), maxOver: 0 }))
  },
  close: () => redis.disconnect()
})
