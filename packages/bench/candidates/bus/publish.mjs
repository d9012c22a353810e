// ioredis alone: PUBLISH, and a connection in SUBSCRIBE; subscribers of the process share it, as those of a bus do.
import { Redis } from 'ioredis'
import { talking } from './talk.mjs'

const redis = new Redis(process.env.BENCH_REDIS_URL, { enableAutoPipelining: true })
const subscriber = redis.duplicate({ enableAutoPipelining: false })
const listeners = []
await subscriber.subscribe('talk')
subscriber.on('message', (_, text) => {
  const message = JSON.parse(text)
  for (const listener of listeners) listener(message)
})

await talking({
  listen: async listener => { listeners.push(listener) },
  say: message => redis.publish('talk', JSON.stringify(message)),
  close: () => { redis.disconnect(); subscriber.disconnect() }
})
