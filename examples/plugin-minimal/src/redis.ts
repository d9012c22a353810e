import Fastify from 'fastify'
import redis from '@respite/redis'

const app = Fastify({ logger: true })
await app.register(redis, { url: process.env.REDIS_URL }) // no url: in memory, no server needed
app.get('/health', async () => await app.respite.health.report())

let price: unknown
await app.bus.subscribe('price', value => { price = value }, { ownMessages: true }) // in every instance
app.put('/price', async request => await app.bus.publish('price', request.body))
app.get('/price', async () => ({ price }))

await app.listen({ port: Number(process.env.PORT ?? 3000) })
