import Fastify, { type FastifyBaseLogger } from 'fastify'
import { Redis } from 'ioredis'
import redis from '@respite/redis'
import { openCluster, until } from '@respite/testing'
import t from 'tap'
import { warnOfEviction } from '../../src/redis-only/eviction-warning.ts'

// Seen: one node of a Cluster was asked, whichever the client chose.
t.test('one master of a Cluster that evicts is warned of, whichever it is, and once', async t => {
  const { cluster, open } = await openCluster(t)
  const client = open()
  const app = Fastify()
  t.teardown(() => app.close())
  for (const [i, policy] of ['noeviction', 'noeviction', 'volatile-ttl'].entries()) {
    const node = new Redis(cluster.nodes[i]!.port, '127.0.0.1')
    await node.config('SET', 'maxmemory-policy', policy)
    node.disconnect()
  }
  await app.register(redis, { client })
  await app.ready()
  const { link } = app.respite
  await until('Redis', () => link.state === 'up')
  const warned: object[] = []
  const log = { warn: (what: object) => { warned.push(what) } } as unknown as FastifyBaseLogger
  t.teardown(warnOfEviction(link, log))
  t.same(warned, [{ policy: 'volatile-ttl' }])
})
