import { setTimeout } from 'node:timers/promises'
import Fastify from 'fastify'
import redis from '@respite/redis'
import cache from '@respite/cache'

const app = Fastify({ logger: true })
await app.register(redis, { url: process.env.REDIS_URL }) // no url: in memory, no server needed
await app.register(cache, { ttl: '1m' })

app.get('/weather', { config: { cache: { ttl: '10s' } } }, async () => await setTimeout(500, { celsius: 21 }))
app.get('/report', async () => await app.cache.getOrSet('report', () => setTimeout(500, { pages: 7 })))

await app.listen({ port: Number(process.env.PORT ?? 3000) })
