// Fastify alone: the same body, and no session.
import Fastify from 'fastify'
import { serve } from '../serve.mjs'
import { data, route, seen } from './shop.mjs'

const app = Fastify()
app.post('/login', async (request, reply) => {
  reply.header('set-cookie', `bare=${'x'.repeat(64)}`)
  return {}
})
app.get(route, async () => seen('user-00', data.settings, data.cart))

await serve(app)
