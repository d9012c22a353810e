import t from 'tap'
import { startCluster, until } from '@respite/testing'
import { Cluster } from 'ioredis'
import { connected, isUp } from '../connect.ts'

const cluster = await startCluster(1)
t.teardown(() => cluster.stop())

t.test('when a master dies under load its replica serves, with another era, and nothing was executed twice', async t => {
  const { link } = await connected(new Cluster([...cluster.startupNodes], { lazyConnect: true }), { deadlineMs: 500 })
  const keys = Array.from({ length: 30 }, (_, i) => `n{${i}}`)
  const eras = new Map(keys.map(key => [key, link.eraOf(key)]))
  const { topologyVersion } = link
  const acknowledged = new Map<string, number>()
  const unsure = new Map<string, number>()
  const load = { on: true }
  const loaded = Promise.all(keys.map(async key => {
    while (load.on) {
      await link.send('INCR', key).then(
        () => acknowledged.set(key, (acknowledged.get(key) ?? 0) + 1),
        (error: { outcome: string }) => { if (error.outcome === 'unknown') unsure.set(key, (unsure.get(key) ?? 0) + 1) })
      await new Promise(resolve => setImmediate(resolve))
    }
  }))
  await cluster.nodes[0]!.kill()
  await until('the replica serves', () => link.topologyVersion > topologyVersion && link.state === 'up', 30_000)
  load.on = false
  await loaded
  await isUp(link)
  const moved = keys.filter(key => link.eraOf(key) !== eras.get(key))
  t.ok(moved.length > 0 && moved.length < keys.length, 'the keys of one master have another era')
  for (const key of keys) t.ok(Number(await link.send('GET', key)) <= (acknowledged.get(key) ?? 0) + (unsure.get(key) ?? 0), `${key} was not executed twice`)
})
