// The bus, and with BENCH_DURABLE its durable topics.
import redis from '@respite/redis'
import Fastify from 'fastify'
import { talking } from './talk.mjs'

const app = Fastify()
// A pause of a busy machine is not to count as a loss.
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait', deadlineMs: 5_000 })
await app.ready()
const durable = process.env.BENCH_DURABLE === '1'
const onGap = why => { throw new Error(`a gap: ${why}`) }

await talking({
  listen: listener => app.bus.subscribe('talk', listener, { durable, ownMessages: true, onGap }),
  say: message => app.bus.publish('talk', message, { durable }),
  close: () => app.close()
})
