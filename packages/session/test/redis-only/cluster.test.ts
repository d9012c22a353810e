import { Cluster } from 'ioredis'
import { startCluster } from '@respite/testing'
import t from 'tap'
import { redisStoreContract } from '../contracts/redis-store.ts'

redisStoreContract(t, async t => {
  const cluster = await startCluster()
  const client = new Cluster([...cluster.startupNodes])
  t.teardown(async () => {
    client.disconnect()
    await cluster.stop()
  })
  return { client }
})
