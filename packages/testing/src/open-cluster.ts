import { Cluster, type ClusterOptions } from 'ioredis'
import { startCluster } from './cluster.ts'
import type { TestEnd } from './test-end.ts'

/**
 * A Cluster, and the ioredis clients of it that `open` makes; all end with the test.
 * @param replicas - 0 or 1 for each master
 */
export async function openCluster (t: TestEnd, replicas: 0 | 1 = 0) {
  const cluster = await startCluster(replicas)
  t.teardown(() => cluster.stop())
  return {
    cluster,
    open (options: ClusterOptions = {}): Cluster {
      const client = new Cluster([...cluster.startupNodes], options)
      t.teardown(() => client.disconnect())
      return client
    }
  }
}
