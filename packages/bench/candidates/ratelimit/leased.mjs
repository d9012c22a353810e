// One of several processes that ask one limit for one key, leased or not.
import rateLimit from '@respite/ratelimit'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { measured } from './measure.mjs'

const limit = Number(process.env.BENCH_LIMIT)
const algorithm = process.env.BENCH_ALGORITHM
const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait', deadlineMs: 5_000 })
await app.register(rateLimit, {
  timeoutMs: 5_000,
  named: [{
    name: 'leased',
    limit,
    per: '1m',
    algorithm,
    key: request => request.subject,
    onStoreError: 'closed',
    ...algorithm === 'gcra' && { burst: limit / 4 },
    ...process.env.BENCH_LEASE === '1' && { lease: true }
  }]
})
await app.ready()

const pause = ms => new Promise(resolve => setTimeout(resolve, ms))

/** Asks as chance has it, so many times a second on average; `times`: how long each request took, ms. */
async function paced ({ seconds, perSecond, subject }) {
  const times = []
  const under = []
  const counts = { operations: 0, admitted: 0 }
  const startedAt = performance.now()
  const ask = async () => {
    const from = performance.now()
    if ((await app.rateLimit.take('leased', subject)).allowed) counts.admitted++
    times.push(performance.now() - from)
  }
  for (let at = startedAt; ;) {
    at -= 1_000 * Math.log(1 - Math.random()) / perSecond
    if (at - startedAt > 1_000 * seconds) break
    while (performance.now() < at) await pause(Math.min(50, at - performance.now()))
    counts.operations++
    under.push(ask())
  }
  await Promise.all(under)
  return { ...counts, times }
}

/** Asks without a pause, by so many callers, until the time is over; a refused one rests for a millisecond. */
async function flooded ({ seconds, callers, subject }) {
  const counts = { operations: 0, admitted: 0 }
  const endsAt = performance.now() + 1_000 * seconds
  await Promise.all(Array.from({ length: callers }, async () => {
    while (performance.now() < endsAt) {
      const { allowed } = await app.rateLimit.take('leased', subject)
      counts.operations++
      if (allowed) counts.admitted++
      if (!allowed) await pause(1)
      // Promises that are settled already would never let an answer through.
      else if (counts.operations % 256 === 0) await new Promise(resolve => setImmediate(resolve))
    }
  }))
  return { ...counts, times: [] }
}

measured({
  questions: {
    paced,
    flooded,
    async together ({ processes }) {
      while (app.respite.bus.instances !== processes) await pause(20)
    }
  },
  close: () => app.close()
})
