// The plugin with its defaults.
import tracking from '@respite/hll-tracking'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'
import { observeMicros } from './observe-micros.mjs'

const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(tracking, { key: 'a key of a bench, at least 32 characters long', who: request => request.headers['x-user'] })
app.get(route, { config: { track: 'work' } }, async () => loadItem())

await serve(app, {
  callers: async () => (await app.tracking.unique('work').count({ since: '1h' })).value,
  observeMicros: () => observeMicros(user => app.tracking.observe('work', user), () => app.tracking.flush())
})
