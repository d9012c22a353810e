import { openCluster, until } from '@respite/testing'
import t from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { keySlot } from '../../src/clients/key-slot.ts'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import { bucketOf } from '../../src/streams/bucket.ts'
import { queuesContract } from '../contracts/queues.ts'
import { messagesOver, type MessagesSettings } from '../messages-of.ts'
import { moveSlot } from '../move-slot.ts'

const { open } = await openCluster(t)
const client = open()
const instance = (settings?: MessagesSettings) => messagesOver(t, createIoredisAdapter(client), settings)

queuesContract(t, { instance })

t.test('a queue whose slot moves to another master is worked on there', async t => {
  const [a, b] = [await instance(), await instance()]
  const done: number[] = []
  const queue = a.bus.queue<number>('moving')
  await b.bus.queue<number>('moving').work(value => { done.push(value) })
  await queue.add(1)
  await until('the first', async () => (await queue.counts()).pending === 0)
  const key = createKeyspace('respite').define(keys.queue.template).key(bucketOf('moving'), 'moving')
  await moveSlot(client, keySlot(key))
  await until('the second is taken', () => queue.add(2).then(() => true, () => false), 20_000)
  await until('the second', () => done.includes(2), 20_000)
  t.equal(done[0], 1)
})
