import { openCluster, until } from '@respite/testing'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { keySlot } from '../../src/clients/key-slot.ts'
import { busContract } from '../contracts/bus.ts'
import { redisBusContract } from '../contracts/redis-bus.ts'
import { instanceOver } from '../instance.ts'

const { open } = await openCluster(t)
const client = open()
const instance = async (errors?: object[]) => (await instanceOver(t, createIoredisAdapter(client), { errors })).bus

busContract(t, { instance })
redisBusContract(t, {
  instance,
  publishRaw: (topic, text) => client.spublish(`respite:v1:bus:{${topic}}`, text),
  killSubscribers: () => Promise.all(client.nodes('master').map(node => node.client('KILL', 'TYPE', 'PUBSUB')))
})

t.test('topics of all three masters are heard', async t => {
  const [a, b] = [await instance(), await instance()]
  const topics = Array.from({ length: 30 }, (_, i) => `topic-${i}`)
  const heard = new Set<string>()
  await Promise.all(topics.map(topic => b.subscribe(topic, (_, info) => { heard.add(info.topic) })))
  await Promise.all(topics.map(topic => a.publish(topic, 1)))
  await until('one message each', () => heard.size === topics.length)
  t.same([...heard].sort(), topics.sort())
})

t.test('a topic whose slot moves to another master is heard there, after a gap', async t => {
  const [a, b] = [await instance(), await instance()]
  const heard: unknown[] = []
  const gaps: string[] = []
  await b.subscribe('moving', value => { heard.push(value) }, { onGap: why => gaps.push(why) })
  await a.publish('moving', 1)
  await until('the first message', () => heard.length === 1)
  const slot = keySlot('{moving}')
  const masters = client.nodes('master')
  const ids = await Promise.all(masters.map(node => node.call('CLUSTER', 'MYID')))
  const from = masters.findIndex(node => `${node.options.host}:${node.options.port}` === client.slots[slot]![0])
  const to = (from + 1) % masters.length
  // Importing gives the slot's new master an epoch above all others (CLUSTER SETSLOT): else the old one's heartbeat, still under way, takes the slot back.
  await masters[to]!.call('CLUSTER', 'SETSLOT', slot, 'IMPORTING', String(ids[from]))
  for (const node of [masters[to]!, masters[from]!, masters[(from + 2) % masters.length]!]) await node.call('CLUSTER', 'SETSLOT', slot, 'NODE', String(ids[to]))
  await until('the gap', () => gaps.length > 0, 20_000)
  t.equal(gaps[0], 'reconnect')
  await a.publish('moving', 2)
  await until('a message from the new master', () => heard.at(-1) === 2)
})
