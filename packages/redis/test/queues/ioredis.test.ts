import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { queuesContract } from '../contracts/queues.ts'
import { messagesOver, type MessagesSettings } from '../messages-of.ts'
import { serverOf } from '../messages-server.ts'

const { client } = await serverOf(t)
const instance = (settings?: MessagesSettings) => messagesOver(t, createIoredisAdapter(client), settings)

queuesContract(t, { instance })
