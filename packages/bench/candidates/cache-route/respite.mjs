// The same handler, its answers cached.
import cache from '@respite/cache'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

let fills = 0
const app = Fastify()
const item = loadItem()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(cache)
app.get(route, { config: { cache: { ttl: '10m' } } }, async () => {
  fills++
  return item
})

await serve(app, { fills: () => fills })
