import Fastify, { type FastifyInstance } from 'fastify'
import t, { type Test } from 'tap'
import redis, { type CounterSeries, type Link } from '@respite/redis'
import cachePlugin from '@respite/cache'
import { seeded, startRedis, until } from '@respite/testing'
import { copied, ownPrefix } from './app-over.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const localMaxAgeMs = 1_000

/** An app on a server without CLIENT TRACKING, whose local copies end by what others tell on the bus. */
async function appByBus (t: Test, keyPrefix: string, localMaxAge = localMaxAgeMs) {
  const app = Fastify()
  t.teardown(() => app.close())
  await app.register(redis, { url: server.url, keyPrefix, boot: 'wait', deadlineMs: 2_000 })
  const { link } = app.respite
  const { features } = link
  Object.defineProperty(link, 'features', { value: { ...features, tracking: false } })
  await app.register(cachePlugin, { localMaxAge })
  await app.ready()
  await until('it is armed', () => app.respite.invalidations.armed)
  t.equal(app.respite.invalidations.means, 'bus')
  return app
}

/** Keys that others have told an app of. */
async function keysHeard (app: FastifyInstance): Promise<number> {
  const metric = (await app.respite.metrics.read()).find(({ name }) => name === 'invalidated_keys_total')!
  return [...metric.entries()].reduce((sum, [, series]) => sum + (series as CounterSeries).value, 0)
}

/** Messages that never come, though they were taken. */
function losing (link: Link, isLost: () => boolean) {
  const send = link.send.bind(link)
  const counts = { lost: 0, sent: 0 }
  link.send = (command, ...args) => {
    if (command !== 'PUBLISH' || !String(args[0]).includes('invalidations')) return send(command, ...args)
    counts.sent++
    if (!isLost()) return send(command, ...args)
    counts.lost++
    return Promise.resolve(1)
  }
  return counts
}

t.test('R12: with one message in ten lost, also the last, no copy is read for longer than localMaxAge past what has ended it', async t => {
  const chance = seeded(t)
  const keyPrefix = ownPrefix()
  const [here, there] = [await appByBus(t, keyPrefix), await appByBus(t, keyPrefix)]
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  const endedAt = new Map<string, number[]>(keys.map(key => [key, []]))
  let ending = false
  const counts = losing(here.respite.link, () => ending || chance.below(10) === 0)
  const during = { writing: true }
  let [old, longestMs] = [0, 0]
  const reader = async () => {
    while (during.writing) {
      for (const key of keys) {
        // Taken before the read.
        const now = performance.now()
        const version = await there.cache.get<number>(key)
        const ends = endedAt.get(key)!
        if (version === undefined || ends[version] === undefined) continue
        old++
        longestMs = Math.max(longestMs, now - ends[version]!)
      }
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const reading = reader()
  const last = 6
  for (let version = 0; version <= last; version++) {
    ending = version === last
    // A loss that is noticed ends all copies until the next heartbeat.
    if (version > 0) for (const key of keys) await copied(there.cache, key, version - 1)
    for (const key of keys) {
      await here.cache.set(key, version)
      // From now on the one before is old.
      if (version > 0) endedAt.get(key)![version - 1] = performance.now()
    }
  }
  const lastAt = performance.now()
  await until('the last has ended by its age', () => performance.now() > lastAt + localMaxAgeMs)
  t.strictSame(await there.cache.getMany(keys), keys.map(() => last))
  during.writing = false
  await reading
  t.comment(`${counts.lost} of ${counts.sent} messages lost, ${old} old reads, at most ${Math.round(longestMs)} ms`)
  t.ok(counts.lost >= keys.length)
  t.ok(old > 0, 'the last was lost in silence')
  t.ok(longestMs < localMaxAgeMs, `read for ${Math.round(longestMs)} ms`)
})

t.test('R12: a lost message is noticed by the next, and ends every copy', async t => {
  const keyPrefix = ownPrefix()
  const [here, there] = [await appByBus(t, keyPrefix, 3_600_000), await appByBus(t, keyPrefix, 3_600_000)]
  let lost = false
  const counts = losing(here.respite.link, () => lost)
  const keys = ['a', 'b', 'c']
  for (const key of keys) await here.cache.set(key, 'old')
  // Else one that comes later than a copy is made ends it, and not the loss.
  await until('all messages have come', async () => await keysHeard(there) === keys.length)
  await until('all are copied', async () => {
    await there.cache.getMany(keys)
    return keys.every(key => there.cache.getLocal(key) === 'old')
  })
  lost = true
  await here.cache.set('a', 'new')
  await until('it is lost', () => counts.lost === 1)
  // By the next message, or by a heartbeat that comes before it.
  lost = false
  await here.cache.set('b', 'new')
  await until('it is noticed', () => keys.every(key => there.cache.getLocal(key) === undefined))
  t.strictSame(await there.cache.getMany(keys), ['new', 'new', 'old'])
})
