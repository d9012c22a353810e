// The plugin with its defaults. Days long gone are filled by its own clock, which is set back while they are observed.
import tracking from '@respite/hll-tracking'
import redis, { systemClock } from '@respite/redis'
import Fastify from 'fastify'
import { measured } from './measure.mjs'

const clock = { ...systemClock }
const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
Object.assign(app.respite, { clock })
await app.register(tracking, { key: 'a key of a bench, at least 32 characters long' })
await app.ready()

measured({
  async see (atMs, users) {
    clock.wallMs = () => atMs
    for (const user of users) app.tracking.observe('visits', user)
    clock.wallMs = systemClock.wallMs
    await app.tracking.flush()
  },
  count: async () => (await app.tracking.unique('visits').count()).value,
  close: () => app.close()
})
