import { openNodeRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { createNodeRedisAdapter } from '../../src/clients/node-redis.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { redisDurableTopicsContract } from '../contracts/redis-durable-topics.ts'
import { messagesOver, type MessagesSettings } from '../messages-of.ts'

const { client } = await openNodeRedis(t, createClient)
const instance = (settings?: MessagesSettings) => messagesOver(t, createNodeRedisAdapter(client), settings)
const send = (command: string, ...args: (string | number)[]) => client.sendCommand([command, ...args.map(String)])

durableTopicsContract(t, { instance })
redisDurableTopicsContract(t, { instance, send })
