import { Cluster } from 'ioredis'
import t from 'tap'
import { startCluster } from '@respite/testing'
import { assemble } from '../assemble.ts'
import { routeContract } from '../contracts/route.ts'

const cluster = await startCluster()
t.teardown(() => cluster.stop())

routeContract(t, 'Cluster', async keyPrefix => {
  const client = new Cluster([...cluster.startupNodes])
  t.teardown(() => { client.disconnect() })
  return assemble({ client, boot: 'wait', keyPrefix })
})
