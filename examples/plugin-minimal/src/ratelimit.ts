import Fastify from 'fastify'
import redis from '@respite/redis'
import rateLimit, { presets } from '@respite/ratelimit'

const app = Fastify({ logger: true })
await app.register(redis, { url: process.env.REDIS_URL }) // no url: in memory, no server needed
await app.register(rateLimit, { limits: [presets.api] }) // every route: 100 a minute and address

const limits = [{ name: 'burst', rate: '1/5s' }, { name: 'sustained', rate: '20/m' }]
app.get('/search', { config: { rateLimit: limits } }, async () => ({ found: 3 })) // both are charged, or neither

await app.listen({ port: Number(process.env.PORT ?? 3000) })
