import { openCluster, until } from '@respite/testing'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import { bucketOf } from '../../src/streams/bucket.ts'
import { messagesOver } from '../messages-of.ts'

const { cluster, open } = await openCluster(t, 1)
const client = open()

const durable = { durable: true }
const streamKey = createKeyspace('respite').define(keys.stream.template).key

t.test('after a failover listeners are told of a gap, since it may have lost messages, and go on', async t => {
  const [a, b] = [await messagesOver(t, createIoredisAdapter(client)), await messagesOver(t, createIoredisAdapter(client))]
  const adapter = createIoredisAdapter(client)
  adapter.connect()
  t.teardown(() => adapter.close())
  await until('the slots are known', () => adapter.masters().length === 3)
  const topics = Array.from({ length: 40 }, (_, i) => `topic-${i}`)
  const on = (topic: string) => adapter.nodeOf(streamKey(bucketOf(topic), topic))?.name
  const dying = topics.find(topic => on(topic)?.endsWith(`:${cluster.nodes[0]!.port}`))!
  const staying = topics.find(topic => !on(topic)?.endsWith(`:${cluster.nodes[0]!.port}`))!
  const heard = new Map<string, unknown[]>([[dying, []], [staying, []]])
  for (const [topic, order] of heard) await b.bus.subscribe(topic, value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  for (const topic of heard.keys()) await a.bus.publish(topic, 1, durable)
  await until('both', () => [...heard.values()].every(order => order.length === 1))
  await cluster.nodes[0]!.kill()
  for (const topic of heard.keys()) await until(`${topic} is taken again`, () => a.bus.publish(topic, 2, durable).then(() => true, () => false), 30_000)
  await until('both again', () => [...heard.values()].every(order => order.includes(2)), 20_000)
  await until('the gap', () => heard.get(dying)!.includes('failover'), 20_000)
  t.same(heard.get(staying), [1, 2])
  t.equal(heard.get(dying)![0], 1)
})
