import t from 'tap'
import { startCluster } from '@respite/testing'
import { Cluster, Redis } from 'ioredis'
import { createCluster } from 'redis'
import { linkContract } from '../contracts/link.ts'
import { connected } from '../connect.ts'

const cluster = await startCluster()
t.teardown(() => cluster.stop())
const admins = cluster.nodes.map(({ port }) => new Redis(port, '127.0.0.1'))
t.teardown(() => { for (const admin of admins) admin.disconnect() })
const outsider = { callAll: (command: string, ...args: string[]) => Promise.all(admins.map(admin => admin.call(command, ...args))) }

t.test('ioredis Cluster', async t => {
  const { link } = await connected(new Cluster([...cluster.startupNodes], { lazyConnect: true }))
  linkContract(t, { link, outsider })
})

t.test('node-redis cluster', async t => {
  const { link } = await connected(createCluster({ rootNodes: cluster.startupNodes.map(({ host, port }) => ({ socket: { host, port } })) }))
  linkContract(t, { link, outsider })
})
