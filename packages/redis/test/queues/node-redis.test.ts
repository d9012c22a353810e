import { openNodeRedis } from '@respite/testing'
import { createClient } from 'redis'
import t from 'tap'
import { createNodeRedisAdapter } from '../../src/clients/node-redis.ts'
import { queuesContract } from '../contracts/queues.ts'
import { messagesOver, type MessagesSettings } from '../messages-of.ts'

const { client } = await openNodeRedis(t, createClient)
const instance = (settings?: MessagesSettings) => messagesOver(t, createNodeRedisAdapter(client), settings)

queuesContract(t, { instance })
