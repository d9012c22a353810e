import { createClient } from 'redis'
import { startRedis } from '@respite/testing'
import t from 'tap'
import { redisStoreContract } from '../contracts/redis-store.ts'

redisStoreContract(t, async t => {
  const server = await startRedis()
  const client = createClient({ url: server.url })
  client.on('error', () => undefined)
  await client.connect()
  t.teardown(async () => {
    client.destroy()
    await server.stop()
  })
  return { client: client as never }
})
