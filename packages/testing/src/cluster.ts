import { Redis } from 'ioredis'
import { type RedisServer, startRedis } from './redis-server.ts'
import { until } from './until.ts'

/** A Redis Cluster of the test's own on loopback. */
export interface RedisCluster {
  /** The masters first, then their replicas, if any. */
  readonly nodes: readonly RedisServer[]
  readonly startupNodes: readonly { host: string, port: number }[]
  stop (): Promise<void>
}

/**
 * Three masters, and on request a replica each.
 * @param replicas - 0 or 1 for each master
 */
export async function startCluster (replicas: 0 | 1 = 0): Promise<RedisCluster> {
  const masters = 3
  const flags = ['--cluster-enabled', 'yes', '--cluster-node-timeout', '1000', '--cluster-require-full-coverage', 'no']
  const nodes = await Promise.all(Array.from({ length: masters * (1 + replicas) }, () => startRedis(...flags)))
  const clients = nodes.map(node => new Redis(node.port, '127.0.0.1'))
  try {
    for (let i = 0; i < masters; i++) {
      const from = Math.floor(16_384 * i / masters)
      const to = Math.floor(16_384 * (i + 1) / masters) - 1
      await clients[i]!.call('CLUSTER', 'ADDSLOTSRANGE', from, to)
      await clients[i]!.call('CLUSTER', 'SET-CONFIG-EPOCH', i + 1)
    }
    for (const node of nodes.slice(1)) await clients[0]!.call('CLUSTER', 'MEET', '127.0.0.1', node.port)
    const knows = async (client: Redis) => String(await client.call('CLUSTER', 'NODES')).trim().split('\n').length === nodes.length
    await until('all nodes to know each other', async () => (await Promise.all(clients.map(knows))).every(Boolean))
    for (let i = masters; i < nodes.length; i++) {
      await clients[i]!.call('CLUSTER', 'REPLICATE', String(await clients[i - masters]!.call('CLUSTER', 'MYID')))
    }
    const ready = async (client: Redis) => String(await client.call('CLUSTER', 'INFO')).includes('cluster_state:ok')
    await until('the cluster to be ready', async () => (await Promise.all(clients.map(ready))).every(Boolean), 20_000)
    if (replicas > 0) {
      const linked = async (client: Redis) => String(await client.info('replication')).includes('master_link_status:up')
      await until('the replicas to follow', async () => (await Promise.all(clients.slice(masters).map(linked))).every(Boolean), 20_000)
    }
  } finally {
    for (const client of clients) client.disconnect()
  }
  return {
    nodes,
    startupNodes: nodes.slice(0, masters).map(node => ({ host: '127.0.0.1', port: node.port })),
    stop: async () => { await Promise.all(nodes.map(node => node.stop())) }
  }
}
