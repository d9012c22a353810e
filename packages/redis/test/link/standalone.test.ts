import t from 'tap'
import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { linkContract } from '../contracts/link.ts'
import { connected } from '../connect.ts'

const server = await startRedis()
t.teardown(() => server.stop())
const admin = new Redis(server.port, '127.0.0.1')
t.teardown(() => { admin.disconnect() })
const outsider = { callAll: (command: string, ...args: string[]) => admin.call(command, ...args) }

t.test('ioredis', async t => {
  const { link } = await connected(new Redis(server.url, { lazyConnect: true }))
  linkContract(t, { link, outsider })
})

t.test('node-redis', async t => {
  const { link } = await connected(createClient({ url: server.url }))
  linkContract(t, { link, outsider })
})
