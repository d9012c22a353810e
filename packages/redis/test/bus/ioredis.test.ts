import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { busContract } from '../contracts/bus.ts'
import { redisBusContract } from '../contracts/redis-bus.ts'
import { instanceOver } from '../instance.ts'

const server = await startRedis()
const client = new Redis(server.port, '127.0.0.1')
t.teardown(async () => {
  client.disconnect()
  await server.stop()
})
const instance = async (errors?: object[]) => (await instanceOver(t, createIoredisAdapter(client), { errors })).bus

busContract(t, { instance })
redisBusContract(t, {
  instance,
  publishRaw: (topic, text) => client.publish(`respite:v1:bus:{${topic}}`, text),
  killSubscribers: () => client.client('KILL', 'TYPE', 'PUBSUB')
})
