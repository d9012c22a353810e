import { startRedis } from '@respite/testing'
import t from 'tap'
import { redisStoreContract } from '../contracts/redis-store.ts'

redisStoreContract(t, async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  return { url: server.url }
})
