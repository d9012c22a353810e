// The suite with its defaults: sessions in Redis over SQLite, limits and counts in Redis, a two-level cache.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import cache from '@respite/cache'
import tracking from '@respite/hll-tracking'
import rateLimit from '@respite/ratelimit'
import redis from '@respite/redis'
import session, { sqliteStore } from '@respite/session'
import Fastify from 'fastify'
import { itemKey, limit, loadItem, route } from '../payload.mjs'
import { serve } from '../serve.mjs'

const folder = mkdtempSync(join(tmpdir(), 'respite-bench-'))
let fills = 0
const load = () => {
  fills++
  return loadItem()
}

const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL })
await app.register(cache)
await app.register(session, { secrets: ['a secret of a bench, at least 32 characters long'], durable: sqliteStore(join(folder, 'sessions.db')) })
await app.register(rateLimit)
await app.register(tracking, { key: 'a key of a bench, at least 32 characters long' })
app.addHook('onClose', () => rmSync(folder, { recursive: true }))

app.post('/login', async (request, reply) => {
  await reply.login(request.body.userId)
  return {}
})

app.post('/logout', { config: { session: 'required' } }, async (request, reply) => {
  await reply.logout()
  return {}
})

app.get(route, {
  config: { session: 'required', rateLimit: [{ name: 'work', limit: limit.max, per: '1m' }], track: 'work' }
}, async request => {
  return { userId: request.session.userId, item: await app.cache.getOrSet(itemKey, load, { ttl: '5m' }) }
})

await serve(app, {
  fills: () => fills,
  callers: async () => (await app.tracking.unique('work').count({ since: '1h' })).value,
  linkState: () => app.respite.link.state
})
