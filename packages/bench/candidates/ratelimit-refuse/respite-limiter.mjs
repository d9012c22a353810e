// The limiter alone, over its link: what is left of a refusal when Fastify, headers and body are taken away.
import redis from '@respite/redis'
import Fastify from 'fastify'
import { Limiter } from '../../../ratelimit/dist/limiter.js'
import { linkedStore } from '../../../ratelimit/dist/stores/linked.js'
import { MemoryStore } from '../../../ratelimit/dist/stores/memory.js'
import { measured } from '../ratelimit/measure.mjs'
import { usedUp } from './used-up.mjs'

const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
let limiter
await app.register(async within => {
  const store = linkedStore(within, { timeoutMs: 2_000 })
  const local = new MemoryStore({ clock: app.respite.clock, maxKeys: 1_000 })
  limiter = new Limiter({ store, local, slots: undefined, load: { headroomTenths: () => 0 }, instances: () => 1, storeErrors: { inc () {} } })
})
await app.ready()

const rule = { name: 'one', algorithm: 'sliding-log', limit: 1, capacity: 1, windowMs: 600_000 }
const limit = { rule, onStoreError: 'closed' }
const isAllowed = ({ decision }) => decision === 'allowed'
const take = subject => {
  let allowed
  let told = answer => { allowed = answer }
  limiter.take([{ rule, subject, cost: 1, ban: undefined, limit }], ruling => told(isAllowed(ruling)))
  return allowed ?? new Promise(resolve => { told = resolve })
}

measured({
  check: take,
  questions: usedUp(take),
  close: () => app.close()
})
