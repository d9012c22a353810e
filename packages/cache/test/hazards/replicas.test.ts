import t, { type Test } from 'tap'
import { freePort, openCluster, startRedis, until } from '@respite/testing'
import { assemble } from '../assemble.ts'
import { appOver, copied, ownPrefix, strangerAt } from './app-over.ts'

/** How long a loss in silence can go unnoticed. */
const boundMs = 2_000

/** A master, a replica that follows it, and a client at each. */
async function masterAndReplica (t: Test) {
  const master = await startRedis()
  t.teardown(() => master.stop())
  const replica = await startRedis('--replicaof', '127.0.0.1', String(master.port))
  t.teardown(() => replica.stop())
  const [atMaster, atReplica] = [strangerAt(t, master.url), strangerAt(t, replica.url)]
  await until('the replica follows', async () => (await atReplica.info('replication')).includes('master_link_status:up'))
  return { master, replica, atMaster, atReplica }
}

t.test('R14: a local copy is never filled from a replica, nor is anything else: what it holds may be old', async t => {
  const { master, replica, atReplica } = await masterAndReplica(t)
  const keyPrefix = ownPrefix()
  const writer = await appOver(t, { url: master.url, keyPrefix })
  const app = await assemble({ url: replica.url, keyPrefix })
  t.teardown(() => app.close())
  await app.ready()
  await until('the link knows', () => /replica/.test(app.respite.link.reason ?? ''))
  await writer.cache.set('k', 'old')
  await until('the replica has it', async () => await atReplica.exists(`${keyPrefix}:v1:val:cache:{k}`) === 1)
  // It lags for ever.
  await atReplica.replicaof('127.0.0.1', String(await freePort()))
  await writer.cache.set('k', 'new')
  const { cache } = app
  for (let i = 0; i < 20; i++) {
    t.equal(await cache.get('k'), undefined)
    t.equal(cache.getLocal('k'), undefined)
    t.equal(await cache.getOrSet('k', () => 'loaded'), 'loaded')
    t.strictSame(await cache.getMany(['k', 'l']), [undefined, undefined])
  }
  t.equal(cache.stats().local, false)
  const report = await cache.delete('k')
  t.match(report, { dropped: 0, queued: 1 })
  await atReplica.replicaof('NO', 'ONE')
  await report.settled
  t.equal(await cache.get('k'), undefined, 'promoted, it has taken the drop before anything else')
  await cache.set('k', 'newest')
  await copied(cache, 'k', 'newest')
})

t.test('R14: when its master becomes a replica, nothing old is read past the bound', async t => {
  const { master, replica, atMaster, atReplica } = await masterAndReplica(t)
  const keyPrefix = ownPrefix()
  const here = await appOver(t, { url: master.url, keyPrefix })
  await here.cache.set('k', 'old')
  await copied(here.cache, 'k', 'old')
  await until('the replica has it', async () => await atReplica.exists(`${keyPrefix}:v1:val:cache:{k}`) === 1)
  await atReplica.replicaof('NO', 'ONE')
  // Without a sync, which would empty it, and so tell.
  await atMaster.replicaof('127.0.0.1', String(await freePort()))
  const demotedAt = performance.now()
  const there = await appOver(t, { url: replica.url, keyPrefix })
  await there.cache.set('k', 'new')
  let lastMs = 0
  await until('the bound has passed', () => {
    const now = performance.now()
    if (here.cache.getLocal('k') === 'old') lastMs = now - demotedAt
    return now > demotedAt + boundMs + 100
  })
  t.ok(lastMs < boundMs, `read for ${Math.round(lastMs)} ms`)
  t.equal(await here.cache.get('k'), undefined)
  t.equal(await here.cache.getOrSet('k', () => 'loaded'), 'loaded')
})

t.test('R14: over a Cluster whose client reads from replicas, what another process has written is read', async t => {
  const { cluster, open } = await openCluster(t, 1)
  const make = () => open({ scaleReads: 'slave' })
  const [here, there] = [await appOver(t, { client: make() }), await appOver(t, { client: make() })]
  // Frozen, they can neither follow nor answer.
  for (const node of cluster.nodes.slice(3)) node.freeze()
  for (let i = 0; i < 30; i++) {
    await here.cache.set(`k${i}`, i)
    t.equal(await there.cache.get(`k${i}`), i)
  }
  for (const node of cluster.nodes.slice(3)) node.thaw()
})
