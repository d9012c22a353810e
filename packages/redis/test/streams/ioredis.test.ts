import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { redisDurableTopicsContract } from '../contracts/redis-durable-topics.ts'
import { messagesOver, type MessagesSettings } from '../messages-of.ts'
import { serverOf } from '../messages-server.ts'

const { client } = await serverOf(t)
const instance = (settings?: MessagesSettings) => messagesOver(t, createIoredisAdapter(client), settings)
const send = (command: string, ...args: (string | number)[]) => client.call(command, ...args)

durableTopicsContract(t, { instance })
redisDurableTopicsContract(t, { instance, send })
