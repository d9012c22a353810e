import redis from '@respite/redis'
import { until } from '@respite/testing'
import Fastify from 'fastify'
import rateLimit, { type LimitOptions } from '../../src/index.ts'

// A process of its own: asks for a key without a pause as long as it is told to, and says how many were admitted, with the server's windows.
const [url, options, count] = process.argv.slice(2) as [string, string, string]
const limit = JSON.parse(options) as LimitOptions

const app = Fastify()
await app.register(redis, { url, deadlineMs: 5_000 })
await app.register(rateLimit, { timeoutMs: 5_000, onStoreError: 'closed', named: [limit] })
await app.ready()
await until('all processes to hear each other', () => app.respite.link.state === 'up' && app.respite.bus.instances === Number(count), 20_000)
process.send!('ready')

process.on('message', async ({ asks }: { asks: number }) => {
  let admitted = 0
  for (let i = 0; i < asks / 10; i++) {
    const decisions = await Promise.all(Array.from({ length: 10 }, () => app.rateLimit.take(limit.name, 'k')))
    admitted += decisions.filter(({ allowed }) => allowed).length
    await new Promise(resolve => setImmediate(resolve))
  }
  process.send!(admitted)
})
process.once('SIGTERM', async () => {
  await app.close()
  process.exit(0)
})
