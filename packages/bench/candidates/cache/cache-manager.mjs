// cache-manager as its README says: Keyv in memory before Keyv in Redis; it has no tags.
import KeyvRedis from '@keyv/redis'
import { createCache } from 'cache-manager'
import { Keyv } from 'keyv'
import { measured } from './measure.mjs'

const redis = new Keyv({ store: new KeyvRedis(process.env.BENCH_REDIS_URL) })
const cache = createCache({ stores: process.env.BENCH_LOCAL === '1' ? [new Keyv(), redis] : [redis], ttl: 600_000 })

measured({
  get: key => cache.get(key),
  getOrSet: (key, load) => cache.wrap(key, load),
  getMany: keys => cache.mget(keys),
  close: () => cache.disconnect()
})
