import { startRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { createNodeRedisAdapter } from '../../src/clients/node-redis.ts'
import { busContract } from '../contracts/bus.ts'
import { redisBusContract } from '../contracts/redis-bus.ts'
import { instanceOver } from '../instance.ts'

const server = await startRedis()
const client = createClient({ url: server.url })
client.on('error', () => {}) // the server ends before the client
await client.connect()
t.teardown(async () => {
  client.destroy()
  await server.stop()
})
const instance = async (errors?: object[]) => (await instanceOver(t, createNodeRedisAdapter(client), { errors })).bus

busContract(t, { instance })
redisBusContract(t, {
  instance,
  publishRaw: (topic, text) => client.sendCommand(['PUBLISH', `respite:v1:bus:{${topic}}`, text]),
  killSubscribers: () => client.sendCommand(['CLIENT', 'KILL', 'TYPE', 'PUBSUB'])
})
