// Fastify alone: the same body and no duties.
import Fastify from 'fastify'
import { loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

const app = Fastify()
const item = loadItem()

app.post('/login', async (request, reply) => {
  reply.header('set-cookie', `bare=${'x'.repeat(64)}`)
  return {}
})
app.get(route, async () => ({ userId: 'user-00', item }))

await serve(app)
