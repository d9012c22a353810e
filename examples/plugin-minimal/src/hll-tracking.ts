import Fastify from 'fastify'
import redis from '@respite/redis'
import tracking from '@respite/hll-tracking'

const app = Fastify({ logger: true })
await app.register(redis, { url: process.env.REDIS_URL }) // no url: in memory, no server needed
await app.register(tracking, { key: process.env.TRACKING_KEY })

app.get('/ping', { config: { track: 'ping' } }, async () => ({}))
app.get('/count', async () => await app.tracking.unique('ping').count({ since: '7d' }))
app.get('/top', async () => await app.tracking.top('ping', { k: 10 }))

await app.listen({ port: Number(process.env.PORT ?? 3000) })
