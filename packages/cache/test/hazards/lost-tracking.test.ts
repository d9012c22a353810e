import t, { type Test } from 'tap'
import type { FastifyInstance } from 'fastify'
import { startProxy, startRedis, until } from '@respite/testing'
import { appOver, copied, ownPrefix, strangerAt } from './app-over.ts'

// They wait more than they work, each on a server of its own.
t.jobs = 6

/** Heartbeat and the time for its answer: how long a loss in silence can go unnoticed. */
const boundMs = 2_000

/** An app that is reached by a proxy, and one that has its own way. */
async function watchedAndOther (t: Test) {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const proxy = await startProxy(server.port)
  t.teardown(() => proxy.stop())
  const keyPrefix = ownPrefix()
  const watched = await appOver(t, { url: `redis://127.0.0.1:${proxy.port}`, keyPrefix })
  const other = await appOver(t, { url: server.url, keyPrefix })
  await until('both are armed', () => watched.respite.invalidations.armed && other.respite.invalidations.armed)
  return { proxy, watched, other, raw: strangerAt(t, server.url) }
}

/**
 * Loses what tells of changes, changes the value elsewhere, and reads the old one for as long as it is given.
 * @returns how long after the loss it was given last, in ms
 */
async function oldReadFor ({ watched, other }: { watched: FastifyInstance, other: FastifyInstance }, lose: () => unknown): Promise<{ lastMs: number, reads: number }> {
  await other.cache.set('k', 'old', { tags: ['t'] })
  await copied(watched.cache, 'k', 'old')
  await lose()
  const lostAt = performance.now()
  // Again should its own connection have been lost too.
  await until('it is changed', async () => {
    await other.cache.set('k', 'new')
    return (await other.cache.getWithTtl('k'))?.value === 'new'
  })
  let [lastMs, reads] = [0, 0]
  await until('the bound has passed', () => {
    // Taken before the read: it was not given later than this.
    const now = performance.now()
    if (watched.cache.getLocal('k') === 'old') {
      lastMs = now - lostAt
      reads++
    }
    return now > lostAt + boundMs + 100
  })
  return { lastMs, reads }
}

for (const end of ['told', 'asking'] as const) {
  t.test(`R6: with the connection killed that is ${end}, nothing old is read past the bound, and copies are trusted again by themselves`, { buffered: true }, async t => {
    const { watched, other, raw } = await watchedAndOther(t)
    const { lastMs } = await oldReadFor({ watched, other }, async () => {
      const clients = String(await raw.client('LIST')).trim().split('\n').map(line => ({ id: /id=(\d+)/.exec(line)![1]!, redirect: /redir=(-?\d+)/.exec(line)![1]! }))
      const asking = clients.filter(({ redirect }) => Number(redirect) > 0)
      t.ok(asking.length >= 2, 'both apps are told')
      for (const { id, redirect } of asking) await raw.client('KILL', 'ID', end === 'asking' ? id : redirect)
    })
    t.ok(lastMs < boundMs, `read for ${Math.round(lastMs)} ms`)
    await until('copies are trusted again', async () => {
      // A set whose connection was killed may have been done or not: its key is dropped once it can be, perhaps after the next set.
      if (await watched.cache.get('k') === undefined) await other.cache.set('k', 'new')
      return watched.cache.getLocal('k') === 'new'
    })
    await other.cache.set('k', 'newest')
    await until('and changes are heard of', () => watched.cache.getLocal('k') === undefined)
  })
}

for (const aim of ['subscribers', 'others', 'all'] as const) {
  t.test(`R6: with sockets that swallow everything (${aim}), nothing old is read past the bound`, { buffered: true }, async t => {
    const { proxy, watched, other } = await watchedAndOther(t)
    const { lastMs, reads } = await oldReadFor({ watched, other }, () => {
      proxy.aim = aim
      proxy.blackHole = true
    })
    if (aim !== 'others') t.ok(reads > 0, 'it was lost in silence')
    t.ok(lastMs < boundMs, `read for ${Math.round(lastMs)} ms`)
    t.equal(watched.cache.stats().local, false)
    const found = await watched.cache.get('k')
    t.ok(found === 'new' || (found === undefined && aim !== 'subscribers'), `then ${found}`)
    proxy.blackHole = false
    proxy.cut() // bytes were lost within the streams
    await until('copies are trusted again', async () => {
      // A set whose connection was killed may have been done or not: its key is dropped once it can be, perhaps after the next set.
      if (await watched.cache.get('k') === undefined) await other.cache.set('k', 'new')
      return watched.cache.getLocal('k') === 'new'
    })
  })
}

t.test('R6: copies that a lost connection has ended do not come back with it', { buffered: true }, async t => {
  const { proxy, watched, other } = await watchedAndOther(t)
  const keys = Array.from({ length: 20 }, (_, i) => `k${i}`)
  for (const key of keys) await other.cache.set(key, 'old')
  for (const key of keys) await copied(watched.cache, key, 'old')
  proxy.accepting = false
  proxy.cut()
  await until('the loss is noticed', () => !watched.cache.stats().local)
  for (const key of keys) await other.cache.delete(key)
  proxy.accepting = true
  await until('copies are trusted again', () => watched.cache.stats().local)
  for (const key of keys) t.equal(watched.cache.getLocal(key), undefined)
  t.strictSame(await watched.cache.getMany(keys), keys.map(() => undefined))
})
