// @respite/session with its defaults, or with copies in the process, over Redis and a durable store.
import redis from '@respite/redis'
import session from '@respite/session'
import Fastify from 'fastify'
import { serve } from '../serve.mjs'
import { counted } from './counted.mjs'
import { startDurable } from './durable.mjs'
import { data, route, seen } from './shop.mjs'

const { name, store, stop } = await startDurable(process.env.BENCH_DURABLE)
const durable = store === 'none' ? { store, counts: {} } : counted(store)
const app = Fastify()
app.addHook('onClose', stop) // the last to run
await app.register(redis, { url: process.env.BENCH_REDIS_URL })
await app.register(session, { secrets: ['a secret of a bench, at least 32 characters long'], durable: durable.store, ...process.env.BENCH_L1 && { l1: {} } })

app.post('/login', async (request, reply) => {
  await reply.login(request.body.userId, { data })
  return {}
})
app.get(route, { config: { session: 'required' } }, async request => {
  const { session } = request
  return seen(session.userId, session.get('settings'), session.get('cart'))
})

await serve(app, {
  durable: () => name,
  linkState: () => app.respite.link.state,
  selects: () => durable.counts.selects,
  durableWrites: () => durable.counts.writes,
  selectsAtOnce: () => durable.counts.selectsAtOnce
})
