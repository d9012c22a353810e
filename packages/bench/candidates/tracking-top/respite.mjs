// The plugin with its defaults, flushed when a thousand events are in.
import tracking from '@respite/hll-tracking'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { measured } from './measure.mjs'

const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(tracking, { key: 'a key of a bench, at least 32 characters long' })
await app.ready()

measured({
  async see (users) {
    for (const user of users) app.tracking.observe('api', user)
    await app.tracking.flush()
  },
  top: k => app.tracking.top('api', { k }),
  close: () => app.close()
})
