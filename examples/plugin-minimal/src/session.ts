import Fastify from 'fastify'
import redis from '@respite/redis'
import session from '@respite/session'

const app = Fastify({ logger: true })
await app.register(redis, { url: process.env.REDIS_URL }) // no url: in memory, no server needed
await app.register(session, { secrets: process.env.SESSION_SECRET?.split(','), durable: 'none' }) // or a database, see Stores

app.post<{ Params: { name: string } }>('/login/:name', async (request, reply) => await reply.login(request.params.name))
app.post('/logout', async (request, reply) => { await reply.logout(); return {} })
app.get('/me', { config: { session: 'required' } }, async request => ({ user: request.session.userId }))

await app.listen({ port: Number(process.env.PORT ?? 3000) })
