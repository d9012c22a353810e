import { openCluster, until } from '@respite/testing'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { keySlot } from '../../src/clients/key-slot.ts'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import { bucketOf } from '../../src/streams/bucket.ts'
import { durableTopicsContract } from '../contracts/durable-topics.ts'
import { redisDurableTopicsContract } from '../contracts/redis-durable-topics.ts'
import { messagesOver, type MessagesSettings } from '../messages-of.ts'
import { moveSlot } from '../move-slot.ts'

const { open } = await openCluster(t)
const client = open()
// They are about a server, not about a key: sent by the key they have none of, each would go to any of them.
const ofEveryMaster = new Set(['CLIENT', 'INFO'])
const instance = (settings?: MessagesSettings) => messagesOver(t, createIoredisAdapter(client), settings)
async function send (command: string, ...args: (string | number)[]): Promise<unknown> {
  if (!ofEveryMaster.has(command)) return await client.call(command, ...args)
  return await Promise.all(client.nodes('master').map(node => node.call(command, ...args)))
}

durableTopicsContract(t, { instance })
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

t.test('a durable topic whose slot moves to another master is heard there, and nothing is missed', async t => {
  const [a, b] = [await instance(), await instance()]
  const heard: unknown[] = []
  await b.bus.subscribe('moving', value => { heard.push(value) }, { durable: true })
  await a.bus.publish('moving', 1, { durable: true })
  await until('the first', () => heard.length === 1)
  const key = createKeyspace('respite').define(keys.stream.template).key(bucketOf('moving'), 'moving')
  await moveSlot(client, keySlot(key))
  await until('the second is taken', () => a.bus.publish('moving', 2, { durable: true }).then(() => true, () => false), 20_000)
  await until('the second', () => heard.includes(2), 20_000)
  t.same(heard, [1, 2])
})
