// One of the processes of the drill `cache-history`: reads, writes and invalidates at random, and remembers when it did what.
// Times are CLOCK_MONOTONIC, which all processes of a machine share.
import { setTimeout as pause } from 'node:timers/promises'
import cache, { metrics } from '@respite/cache'
import redis from '@respite/redis'
import Fastify from 'fastify'
import { Redis } from 'ioredis'
import { serve } from '../serve.mjs'

const { keys, tags, localMaxAgeMs, leaseMs, seed } = JSON.parse(process.env.BENCH_HISTORY)
const database = new Redis(process.env.BENCH_DATABASE_URL)
const app = Fastify()
await app.register(redis, { url: process.env.BENCH_REDIS_URL })
await app.register(cache, { localMaxAge: localMaxAgeMs, lease: leaseMs })

const nowMs = () => Number(process.hrtime.bigint()) / 1e6
let state = seed >>> 0
const below = n => {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return Math.floor(state / 2 ** 32 * n)
}
const tagOf = key => `t${key % tags}`

/** What has happened since it was last taken. */
let events = []
const read = (key, beganAt, version, how) => events.push({ kind: 'read', key, beganAt, version, how })

// Runs whose value goes to their callers alone, as when Redis does not answer.
const unstored = app.respite.metrics.counter(metrics.fills).of('unstored')
/** When a factory last ended for a key and version. */
const ended = new Map()

/** The database answers at once or, seldom, only when the lease has ended. */
async function load (key) {
  const version = Number(await database.get(`row:${key}`))
  if (below(4) === 0) await pause(below(100) === 0 ? 1.5 * leaseMs : below(8))
  ended.set(`${key} ${version}`, nowMs())
  return version
}

async function readKey (key) {
  const beganAt = nowMs()
  const local = app.cache.getLocal(`k:${key}`)
  if (local !== undefined) return read(key, beganAt, local, 'local')
  const unstoredBefore = unstored.value
  const version = await app.cache.getOrSet(`k:${key}`, () => load(key), { tags: [tagOf(key)], ttl: 1_000, ...key % 2 === 0 && { swr: 500 } })
  const alone = unstored.value > unstoredBefore && ended.get(`${key} ${version}`) >= beganAt
  read(key, beganAt, version, alone ? 'withoutRedis' : 'redis')
}

/** Commits, and then invalidates what was committed. */
async function writeKey (key) {
  const way = below(100)
  if (way < 15) return writeThrough(key)
  const rows = way < 50 ? [key] : Array.from({ length: keys }, (_, at) => at).filter(at => at % tags === key % tags)
  const versions = await Promise.all(rows.map(row => database.incr(`row:${row}`)))
  const calledAt = nowMs()
  const report = way < 50
    ? await app.cache.delete(`k:${key}`)
    : way < 97 ? await app.cache.invalidateTags(tagOf(key)) : way < 98 ? await app.cache.clear() : await app.cache.deletePattern('k:*')
  const resolved = () => { for (const [at, row] of rows.entries()) events.push({ kind: 'ending', key: row, version: versions[at], calledAt, resolvedAt: nowMs() }) }
  // Queued is not yet promised: that comes when Redis has taken it, or never.
  if (report.queued === 0) resolved()
  else report.settled.then(resolved, () => undefined)
}

/** What it stores, or drops, is promised when it resolves; unless Redis did not answer, and the drop is queued. */
async function writeThrough (key) {
  let calledAt = 0
  const version = await app.cache.writeThrough(`k:${key}`, async () => {
    const committed = await database.incr(`row:${key}`)
    calledAt = nowMs()
    return committed
  }, { tags: [tagOf(key)], ttl: 1_000 })
  if (app.cache.stats().queued === 0) events.push({ kind: 'ending', key, version, calledAt, resolvedAt: nowMs() })
}

/** Looks at every local copy all the time, and tells of each version when it was seen last. */
const seen = new Map()
const watch = setInterval(() => {
  for (let key = 0; key < keys; key++) {
    const beganAt = nowMs()
    const version = app.cache.getLocal(`k:${key}`)
    const last = seen.get(key)
    if (last !== undefined && last.version !== version) events.push({ kind: 'read', key, ...last, how: 'local', watched: true })
    if (version === undefined) seen.delete(key)
    else seen.set(key, { version, beganAt })
  }
}, 1)

const over = new AbortController()
async function work () {
  while (!over.signal.aborted) {
    const key = Math.min(below(keys), below(keys)) // some keys are hotter than others
    try {
      await (below(60) === 0 ? writeKey(key) : readKey(key))
    } catch (error) {
      events.push({ kind: 'failure', what: String(error?.message ?? error) })
    }
    await pause(below(12))
  }
}

app.addHook('preClose', async () => {
  over.abort()
  clearInterval(watch)
})
app.addHook('onClose', () => database.disconnect())
await serve(app, {
  begin: () => { for (let i = 0; i < 10; i++) work() },
  take: () => {
    const taken = events
    events = []
    return taken
  }
})
