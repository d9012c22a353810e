// async-cache-dedupe as its README says: it is memory or Redis, not both.
import { createCache } from 'async-cache-dedupe'
import { Redis } from 'ioredis'
import { measured } from './measure.mjs'

const tags = process.env.BENCH_TAGS?.split(',')
const client = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const storage = process.env.BENCH_LOCAL === '1'
  ? { type: 'memory', options: { size: 100_000, ...tags && { invalidation: true } } }
  : { type: 'redis', options: { client, ...tags && { invalidation: true } } }
const cache = createCache({ ttl: 600, storage })
// Its factory is given once, by name: here the one of whoever asks, the same for all.
let factory
cache.define('item', tags ? { references: () => tags } : {}, () => factory())

measured({
  getOrSet (key, load) {
    factory = load
    return cache.item(key)
  },
  close: () => client.disconnect()
})
