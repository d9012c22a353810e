// bentocache as its README says: memory, Redis and its bus; without local copies: Redis alone.
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { Redis } from 'ioredis'
import { measured } from './measure.mjs'

const url = process.env.BENCH_REDIS_URL
const { hostname: host, port } = new URL(url)
const local = process.env.BENCH_LOCAL === '1'
const tags = process.env.BENCH_TAGS?.split(',')
const redis = redisDriver({ connection: new Redis(url, { enableAutoPipelining: true }) })
const store = local
  ? bentostore().useL1Layer(memoryDriver({ maxItems: 100_000 })).useL2Layer(redis).useBus(redisBusDriver({ connection: { host, port: Number(port) } }))
  : bentostore().useL2Layer(redis)
const cache = new BentoCache({ default: 'one', stores: { one: store } })

measured({
  get: key => cache.get({ key }),
  getOrSet: (key, factory) => cache.getOrSet({ key, ttl: '10m', factory, ...tags && { tags } }),
  getMany: keys => Promise.all(keys.map(key => cache.get({ key }))), // it has none
  close: () => cache.disconnectAll()
})
