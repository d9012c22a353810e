// A PFADD a request, auto-pipelined, that no response waits for.
import Fastify from 'fastify'
import { Redis } from 'ioredis6'
import { loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'
import { observeMicros } from './observe-micros.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const app = Fastify()
const observe = user => { redis.pfadd('track:work', user).catch(error => app.log.error(error)) }
app.addHook('onClose', () => redis.quit())
app.get(route, {
  onResponse: (request, reply, done) => {
    observe(request.headers['x-user'])
    done()
  }
}, async () => loadItem())

await serve(app, {
  callers: () => redis.pfcount('track:work'),
  observeMicros: () => observeMicros(observe, () => redis.ping())
})
