import { startCluster, until } from '@respite/testing'
import { Cluster } from 'ioredis'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { queuesContract } from '../contracts/queues.ts'
import { redisDurableTopicsContract } from '../contracts/redis-durable-topics.ts'
import { messagesOver, type MessagesSettings } from './messages-of.ts'

const servers = await startCluster()
const client = new Cluster([...servers.startupNodes])
t.teardown(async () => {
  client.disconnect()
  await servers.stop()
})
const instance = (settings?: MessagesSettings) => messagesOver(t, createIoredisAdapter(client), settings)
async function send (command: string, ...args: (string | number)[]): Promise<unknown> {
  if (command !== 'CLIENT') return await client.call(command, ...args)
  return await Promise.all(client.nodes('master').map(node => node.call(command, ...args)))
}

durableTopicsContract(t, { instance })
queuesContract(t, { instance })
redisDurableTopicsContract(t, { instance, send })

t.test('durable topics of all three masters are heard', async t => {
  const [a, b] = [await instance(), await instance()]
  const topics = Array.from({ length: 60 }, (_, i) => `topic-${i}`)
  const heard = new Set<string>()
  await Promise.all(topics.map(topic => b.bus.subscribe(topic, (_, info) => { heard.add(info.topic) }, { durable: true })))
  await Promise.all(topics.map(topic => a.bus.publish(topic, 1, { durable: true })))
  await until('one message each', () => heard.size === topics.length)
  t.equal(heard.size, topics.length)
})
