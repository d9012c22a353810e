// @fastify/session over connect-redis, as their READMEs say.
import cookie from '@fastify/cookie'
import session from '@fastify/session'
import { RedisStore } from 'connect-redis'
import Fastify from 'fastify'
import { createClient } from 'redis'
import { serve } from '../serve.mjs'
import { data, route, seen } from './shop.mjs'

const client = await createClient({ url: process.env.BENCH_REDIS_URL }).connect()
const app = Fastify()
await app.register(cookie)
await app.register(session, {
  secret: 'a secret of a bench, at least 32 characters long',
  store: new RedisStore({ client }),
  saveUninitialized: false,
  rolling: process.env.BENCH_ROLLING !== '0',
  cookie: { secure: false, maxAge: 1_800_000 }
})
app.addHook('onClose', () => client.close())

app.post('/login', async request => {
  Object.assign(request.session, data)
  request.session.userId = request.body.userId
  return {}
})
app.get(route, async (request, reply) => {
  const { userId, settings, cart } = request.session
  if (userId === undefined) return reply.code(401).send({ error: 'no session' })
  return seen(userId, settings, cart)
})

await serve(app)
