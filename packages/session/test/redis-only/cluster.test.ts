import { openCluster } from '@respite/testing'
import t from 'tap'
import { redisStoreContract } from '../contracts/redis-store.ts'

redisStoreContract(t, async t => {
  const { open } = await openCluster(t)
  return { client: open() }
})
