import t from 'tap'
import { MemoryHub } from '../../src/bus/memory-bus.ts'
import { queuesContract } from '../contracts/queues.ts'
import { messagesIn, type MessagesSettings } from '../messages-of.ts'

const hub = new MemoryHub()
const instance = async (settings?: MessagesSettings) => messagesIn(t, hub, settings)

queuesContract(t, { instance })
