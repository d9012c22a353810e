// The cache with its defaults; without local copies: held, as while an invalidation waits for Redis.
import cache from '@respite/cache'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { measured } from './measure.mjs'

const tags = process.env.BENCH_TAGS?.split(',')
const app = Fastify()
// A pause of a busy machine is not to count as a miss.
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait', deadlineMs: 2_000 })
await app.register(cache, { ttl: '10m', localMaxAge: '10m', maxItems: 100_000 })
await app.ready()
if (process.env.BENCH_LOCAL !== '1') app.respite.invalidations.hold('bench', true)
const options = tags && { tags }

measured({
  get: key => app.cache.get(key),
  getOrSet: (key, load) => app.cache.getOrSet(key, load, options),
  getMany: keys => app.cache.getMany(keys),
  close: () => app.close()
})
