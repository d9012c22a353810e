// Fastify and one GET a request, auto-pipelined: what a single question costs.
import Fastify from 'fastify'
import { Redis } from 'ioredis6'
import { itemKey, loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const app = Fastify()
app.addHook('onClose', () => redis.quit())
await redis.set(itemKey, JSON.stringify(loadItem()))

app.post('/login', async (request, reply) => {
  reply.header('set-cookie', `bare=${'x'.repeat(64)}`)
  return {}
})
app.get(route, async () => ({ userId: 'user-00', item: JSON.parse(await redis.get(itemKey)) }))

await serve(app)
