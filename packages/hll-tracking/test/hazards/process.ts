import redis from '@respite/redis'
import { until } from '@respite/testing'
import Fastify from 'fastify'
import tracking from '../../src/index.ts'

/** What the process says of an event, before it is killed. */
export interface Observed {
  readonly events: number
  readonly atMs: number
}

const { url, key, flushEveryMs } = JSON.parse(process.env.TRACKING_PROCESS!) as { url: string, key: string, flushEveryMs: number }
const app = Fastify()
await app.register(redis, { url })
await app.register(tracking, { key, flushEveryMs })
await app.ready()
await until('Redis', () => app.respite.link.state === 'up')

let events = 0
setInterval(() => {
  app.tracking.observe('ping', `user:${++events}`)
  process.send!({ events, atMs: Date.now() } satisfies Observed)
}, 1)
