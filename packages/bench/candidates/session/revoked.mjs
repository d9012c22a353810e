// One of the processes of `session-revoke`: the first logs in and revokes, the others ask for the session without a pause.
// Times are CLOCK_MONOTONIC, which all processes of a machine share.
import { rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { setImmediate as nextTurn } from 'node:timers/promises'
import redis from '@respite/redis'
import session, { sqliteStore } from '@respite/session'
import Fastify from 'fastify'
import { answering } from '../answering.mjs'
import { data } from './shop.mjs'

// All that the bench has started share the file.
const file = join(tmpdir(), `respite-bench-revoke-${process.ppid}.db`)
const app = Fastify()
app.addHook('onClose', () => { for (const end of ['', '-wal', '-shm']) rmSync(file + end, { force: true }) }) // the last to run
await app.register(redis, { url: process.env.BENCH_REDIS_URL, boot: 'wait' })
await app.register(session, { secrets: ['a secret of a bench, at least 32 characters long'], durable: sqliteStore(file), ...process.env.BENCH_L1 && { l1: {} } })
app.get('/me', { config: { session: 'required' } }, async request => ({ user: request.session.userId }))
await app.ready()

const nowMs = () => Number(process.hrtime.bigint()) / 1e6

async function answeredHere () {
  const events = (await app.respite.metrics.read()).find(({ name }) => name === 'session_events_total')
  for (const [[event], series] of events.entries()) if (event === 'local') return series.value
}

let watching

/** Asks until the session is refused. @returns when the last request that was accepted began */
async function watch (token) {
  const request = { url: '/me', headers: { authorization: `Bearer ${token}` } }
  for (let acceptedMs = 0; ;) {
    const beganMs = nowMs()
    const { statusCode } = await app.inject(request)
    if (statusCode !== 200) return acceptedMs
    acceptedMs = beganMs
    await nextTurn() // the server's word may come in
  }
}

const questions = {
  login: ({ userId }) => app.sessions.login(userId, { data }),
  /** Answers once the session is answered from the process, where it is kept, and goes on asking. */
  async watch ({ token }) {
    const before = await answeredHere()
    watching = watch(token)
    do await nextTurn()
    while (process.env.BENCH_L1 && await answeredHere() < before + 3)
  },
  lastAcceptMs: () => watching,
  /** @returns when it had resolved */
  async revoke ({ userId }) {
    await app.sessions.revokeAll(userId)
    return nowMs()
  }
}
answering(questions, () => app.close())
