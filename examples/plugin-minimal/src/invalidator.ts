import Fastify from 'fastify'
import redis from '@respite/redis'
import cache from '@respite/cache'
import invalidator from '@respite/invalidator'

const app = Fastify({ logger: true })
await app.register(redis, { url: process.env.REDIS_URL }).register(cache).register(invalidator) // no url: in memory

const users = new Map<string, unknown>() // your database
app.get('/users/:id', async ({ url }) => await app.cache.getOrSet(url, () => users.get(url) ?? null))
app.put('/users/:id', { config: { invalidates: ({ url }) => ({ keys: [url] }) } }, async ({ url, body }) => ({ users: users.set(url, body).size }))

await app.listen({ port: Number(process.env.PORT ?? 3000) })
