import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { invalidationsContract } from '../contracts/invalidations.ts'
import { invalidationsOutageContract } from '../contracts/invalidations-outage.ts'
import { instanceOver } from '../instance.ts'

const server = await startRedis()
const client = new Redis(server.port, '127.0.0.1')
t.teardown(async () => {
  client.disconnect()
  await server.stop()
})

invalidationsContract(t, {
  writer: { call: (command, ...args) => client.call(command, ...args), callAll: async (command, ...args) => [await client.call(command, ...args)] },
  instance: settings => instanceOver(t, createIoredisAdapter(client), settings)
})
invalidationsOutageContract(t, {
  async instance (t, port) {
    const through = new Redis(port, '127.0.0.1', { lazyConnect: true })
    return await instanceOver(t, createIoredisAdapter(through))
  }
})
