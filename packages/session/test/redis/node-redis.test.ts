import { createClient } from 'redis'
import { openNodeRedis } from '@respite/testing'
import t from 'tap'
import { copiesContract } from '../contracts/copies.ts'

copiesContract(t, async t => {
  const { client } = await openNodeRedis(t, createClient)
  return { client: client as never }
})
