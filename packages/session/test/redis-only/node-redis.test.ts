import { createClient } from 'redis'
import { openNodeRedis } from '@respite/testing'
import t from 'tap'
import { redisStoreContract } from '../contracts/redis-store.ts'

redisStoreContract(t, async t => {
  const { client } = await openNodeRedis(t, createClient)
  return { client: client as never }
})
