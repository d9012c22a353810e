import t from 'tap'
import { MemoryHub } from '../../src/bus/memory-bus.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { messagesIn, type MessagesSettings } from '../messages-of.ts'

const hub = new MemoryHub()
const instance = async (settings?: MessagesSettings) => messagesIn(t, hub, settings)

durableTopicsContract(t, { instance })
