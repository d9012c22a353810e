import { startRedis } from '@respite/testing'
import t from 'tap'
import { copiesContract } from '../contracts/copies.ts'

copiesContract(t, async t => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  return { url: server.url }
})
