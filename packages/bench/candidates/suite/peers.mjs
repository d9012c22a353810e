// The libraries that people put together for this, each as its README says, with the two switches that help them:
// auto-pipelining of ioredis (node-redis does it by itself), and a PFADD that the response does not wait for.
import cookie from '@fastify/cookie'
import rateLimit from '@fastify/rate-limit'
import session from '@fastify/session'
import { BentoCache, bentostore } from 'bentocache'
import { memoryDriver } from 'bentocache/drivers/memory'
import { redisBusDriver, redisDriver } from 'bentocache/drivers/redis'
import { RedisStore } from 'connect-redis'
import Fastify from 'fastify'
import { Redis as Redis5 } from 'ioredis'
import { Redis } from 'ioredis6'
import { createClient } from 'redis'
import { itemKey, limit, loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

const url = process.env.BENCH_REDIS_URL
const { hostname: host, port } = new URL(url)
const redis = new Redis(url, { enableAutoPipelining: true })
const redis5 = new Redis5(url, { enableAutoPipelining: true })
const nodeRedis = await createClient({ url }).connect()

const cache = new BentoCache({
  default: 'two',
  stores: {
    two: bentostore()
      .useL1Layer(memoryDriver({ maxItems: 10_000 }))
      .useL2Layer(redisDriver({ connection: redis5 }))
      .useBus(redisBusDriver({ connection: { host, port: Number(port) } }))
  }
})

let fills = 0
const load = () => {
  fills++
  return loadItem()
}

const app = Fastify()
await app.register(cookie)
await app.register(session, {
  secret: 'a secret of a bench, at least 32 characters long',
  store: new RedisStore({ client: nodeRedis }),
  saveUninitialized: false,
  cookie: { secure: false, maxAge: 3_600_000 }
})
await app.register(rateLimit, { global: false, redis })
app.addHook('onClose', async () => {
  await cache.disconnectAll()
  await nodeRedis.close()
  redis.disconnect()
})

app.post('/login', async request => {
  request.session.userId = request.body.userId
  return {}
})

app.get(route, {
  config: { rateLimit: { max: limit.max, timeWindow: limit.windowMs } },
  onResponse: (request, reply, done) => {
    if (reply.statusCode < 400) redis.pfadd('track:work', request.session.userId).catch(error => app.log.error(error))
    done()
  }
}, async (request, reply) => {
  const { userId } = request.session
  if (userId === undefined) return reply.code(401).send({ error: 'no session' })
  return { userId, item: await cache.getOrSet({ key: itemKey, ttl: '5m', factory: load }) }
})

await serve(app, { fills: () => fills, callers: () => redis.pfcount('track:work') })
