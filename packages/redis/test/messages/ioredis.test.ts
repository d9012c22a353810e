import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { queuesContract } from '../contracts/queues.ts'
import { redisDurableTopicsContract } from '../contracts/redis-durable-topics.ts'
import { messagesOver, type MessagesSettings } from './messages-of.ts'

const server = await startRedis()
const client = new Redis(server.port, '127.0.0.1')
t.teardown(async () => {
  client.disconnect()
  await server.stop()
})
const instance = (settings?: MessagesSettings) => messagesOver(t, createIoredisAdapter(client), settings)
const send = (command: string, ...args: (string | number)[]) => client.call(command, ...args)

durableTopicsContract(t, { instance })
queuesContract(t, { instance })
redisDurableTopicsContract(t, { instance, send })
