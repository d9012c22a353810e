import redis from '@respite/redis'
import { until } from '@respite/testing'
import Fastify from 'fastify'
import rateLimit, { type LimitOptions } from '../../src/index.ts'

// A process of its own: takes slots by hand, says so, and holds them until it is killed.
const [url, options, count] = process.argv.slice(2) as [string, string, string]
const limit = JSON.parse(options) as LimitOptions

const app = Fastify()
await app.register(redis, { url })
await app.register(rateLimit, { timeoutMs: 5_000, named: [limit] })
await app.ready()
await until('the link to be up', () => app.respite.link.state === 'up')
let held = 0
for (let i = 0; i < Number(count); i++) if ((await app.rateLimit.take(limit.name, 'k')).allowed) held++
process.send!(held)
// Renewals keep nobody alive, the parent does.
process.on('message', () => {})
