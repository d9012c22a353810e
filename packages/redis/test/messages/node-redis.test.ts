import { startRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { createNodeRedisAdapter } from '../../src/clients/node-redis.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { queuesContract } from '../contracts/queues.ts'
import { redisDurableTopicsContract } from '../contracts/redis-durable-topics.ts'
import { messagesOver, type MessagesSettings } from './messages-of.ts'

const server = await startRedis()
const client = createClient({ url: server.url })
client.on('error', () => {}) // the server ends before the client
await client.connect()
t.teardown(async () => {
  client.destroy()
  await server.stop()
})
const instance = (settings?: MessagesSettings) => messagesOver(t, createNodeRedisAdapter(client), settings)
const send = (command: string, ...args: (string | number)[]) => client.sendCommand([command, ...args.map(String)])

durableTopicsContract(t, { instance })
queuesContract(t, { instance })
redisDurableTopicsContract(t, { instance, send })
