// Logins as the routes call them, without HTTP: each ends the user's earlier session.
import redis from '@respite/redis'
import session from '@respite/session'
import Fastify from 'fastify'
import { answering } from '../answering.mjs'
import { quantile } from '../quantile.mjs'
import { startDurable } from './durable.mjs'
import { data } from './shop.mjs'

const { name, store, stop } = await startDurable(process.env.BENCH_DURABLE)
const app = Fastify()
app.addHook('onClose', stop) // the last to run
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(session, { secrets: ['a secret of a bench, at least 32 characters long'], durable: store })
await app.ready()

/** Logins by so many concurrent callers, of users in turn. */
async function logins ({ seconds, callers, users }) {
  const times = []
  const startedAt = performance.now()
  const endsAt = startedAt + 1_000 * seconds
  let next = 0
  await Promise.all(Array.from({ length: callers }, async () => {
    for (let to = 0; to < endsAt;) {
      const from = performance.now()
      await app.sessions.login(`user-${next++ % users}`, { data })
      to = performance.now()
      times.push(to - from)
    }
  }))
  const took = (performance.now() - startedAt) / 1_000
  return { operations: times.length, seconds: took, p99Ms: quantile(times, 0.99) }
}

const questions = {
  logins,
  durable: () => name,
  /** How many sessions each of some users has now. */
  active: ({ users }) => Promise.all(Array.from({ length: users }, async (_, i) => (await app.sessions.list(`user-${i}`)).length))
}
answering(questions, () => app.close())
