// The plugin's own hook, called as Fastify calls it, with a request that has nothing but a subject.
import rateLimit from '@respite/ratelimit'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { filled, limits } from './limits.mjs'
import { measured } from './measure.mjs'

const algorithm = process.env.BENCH_ALGORITHM
const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(rateLimit, { headers: [], timeoutMs: 2_000, onStoreError: 'closed' })
const optionsOf = ({ name, limit, windowMs }) => ({ name, limit, per: windowMs, key: request => request.subject, ...algorithm && { algorithm } })
const hook = app.rateLimit(limits.map(optionsOf))
const full = [100, 1_000].map(units => [units, app.rateLimit(optionsOf(filled(units)))])
await app.ready()

const socket = { remoteAddress: '192.0.2.1' }
const run = (check, subject) => new Promise((resolve, reject) => {
  const request = { method: 'GET', headers: {}, raw: { socket, headers: {} }, socket, subject, log: app.log }
  const reply = {
    header: () => reply,
    code: () => reply,
    type: () => reply,
    send: () => { resolve(false) }
  }
  check.call(app, request, reply, error => error === undefined ? resolve(true) : reject(error))
})

measured({
  check: subject => run(hook, subject),
  fill: async units => {
    const [, check] = full.find(([known]) => known === units)
    await Promise.all(Array.from({ length: units }, () => run(check, 'one')))
  },
  close: () => app.close()
})
