import { gate, startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import type { QueueOptions } from '../../src/queues/queue.ts'
import { bucketOf } from '../../src/streams/bucket.ts'
import { messagesOver } from './messages-of.ts'
import type { DeathAt } from './worker-process.ts'

const durable = { durable: true }
const queueKey = (name: string) => createKeyspace('respite').define(keys.queue.template).key(bucketOf(name), name)

async function serverOf (t: Test) {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1', { retryStrategy: () => 50 })
  client.on('error', () => {}) // it is killed, and comes back
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  const instance = async (errors: object[] = []) => await messagesOver(t, createIoredisAdapter(client), { errors })
  return { server, client, instance }
}

async function startWorker (t: Test, about: { url: string, queue: string, diesAt: DeathAt, options: QueueOptions }) {
  const child = fork(new URL('./worker-process.ts', import.meta.url), [], { env: { ...process.env, WORKER_PROCESS: JSON.stringify(about) } })
  t.teardown(() => child.kill('SIGKILL'))
  const died = once(child, 'exit')
  await once(child, 'message')
  return { child, died }
}

const workers = async (client: Redis, name: string) => (await client.xinfo('CONSUMERS', queueKey(name), 'workers') as unknown[][]).map(fields => String(fields[1]))

t.test('a process killed at any step of a job loses none: another does it', async t => {
  const { server, client, instance } = await serverOf(t)
  const options: QueueOptions = { lease: 200, attempts: 10 }
  const { bus } = await instance()
  await Promise.all((['taken', 'begun', 'worked', 'settled'] as const).map(async diesAt => {
    const queue = bus.queue<number>(diesAt, options)
    for (let n = 0; n < 5; n++) await queue.add(n)
    const { child, died } = await startWorker(t, { url: server.url, queue: diesAt, diesAt, options })
    await died
    t.equal(child.signalCode, 'SIGKILL', diesAt)
    const done: number[] = []
    await queue.work(async value => {
      done.push(value)
      await client.incr(`done:${diesAt}:${value}`)
    })
    await until(`all jobs, after a death when ${diesAt}`, async () => (await queue.counts()).pending === 0)
    for (let n = 0; n < 5; n++) t.ok(Number(await client.get(`done:${diesAt}:${n}`)) >= 1, `${diesAt}: job ${n}`)
    await until(`the dead worker is forgotten, who died when ${diesAt}`, async () => (await workers(client, diesAt)).every(name => name === bus.origin))
  }))
})

t.test('a job that kills its process each time is given up', async t => {
  const { server, instance } = await serverOf(t)
  const options: QueueOptions = { lease: 200, attempts: 2 }
  const { bus } = await instance()
  const queue = bus.queue<number>('deadly', options)
  await queue.add(7)
  for (let n = 0; n < 2; n++) await (await startWorker(t, { url: server.url, queue: 'deadly', diesAt: 'begun', options })).died
  const done: number[] = []
  await queue.work(value => { done.push(value) })
  await until('it is given up', async () => (await queue.counts()).dead === 1)
  t.match(await queue.dead(), [{ value: 7, attempts: 2, reason: 'crashed' }])
  t.same(done, [])
})

t.test('a worker that was frozen for a lease does not acknowledge what another has by then', async t => {
  const { server, instance } = await serverOf(t)
  const options: QueueOptions = { lease: 200, attempts: 10 }
  const { bus } = await instance()
  const queue = bus.queue<number>('frozen', options)
  const { child } = await startWorker(t, { url: server.url, queue: 'frozen', diesAt: 'never', options })
  const said: string[] = []
  child.on('message', (word: string) => {
    said.push(word)
    if (word === 'working') child.kill('SIGSTOP')
  })
  await queue.add(1)
  await until('it is at work', () => said.includes('working'))
  const held = gate()
  await queue.work(() => held.pass())
  await held.reached
  child.kill('SIGCONT')
  child.send('go on')
  await until('its word on it', () => said.length > 1)
  t.same(said, ['working', 'refused'])
  t.same(await queue.counts(), { pending: 1, dead: 0 })
  held.open()
  await until('it is done', async () => (await queue.counts()).pending === 0)
})

t.test('with Redis frozen nothing hangs, and when it is back nothing was missed', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const order: unknown[] = []
  await b.bus.subscribe('ice', value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  const queue = a.bus.queue<number>('ice')
  const done: number[] = []
  await b.bus.queue<number>('ice').work(value => { done.push(value) })
  await a.bus.publish('ice', 1, durable)
  await queue.add(1)
  await until('both', () => order.length === 1 && done.length === 1)
  server.freeze()
  await t.rejects(a.bus.publish('ice', 2, durable), { code: /^FST_RSP_REDIS_/ })
  await t.rejects(queue.add(2), { code: /^FST_RSP_REDIS_/ })
  server.thaw()
  await until('it is back', () => a.bus.publish('ice', 3, durable).then(() => true, () => false))
  await until('it takes jobs', () => queue.add(3).then(() => true, () => false))
  await until('the third', () => order.at(-1) === 3 && done.at(-1) === 3)
  t.same(order.filter(value => typeof value === 'string'), [])
  t.ok(order.length <= 3, 'what had no answer may have been published')
})

t.test('who subscribes while Redis does not answer does not wait for ever, and is told of a gap once the place is known', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const order: unknown[] = []
  server.freeze()
  await b.bus.subscribe('later', value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  t.same(order, [])
  server.thaw()
  await until('the gap', () => order.length > 0)
  await until('it is taken', () => a.bus.publish('later', 1, durable).then(() => true, () => false))
  await until('the message', () => order.at(-1) === 1)
  t.same(order, ['reconnect', 1])
})

t.test('a Redis that was killed and comes back empty is a gap, and work goes on', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const order: unknown[] = []
  await b.bus.subscribe('empty', value => { order.push(value) }, { ...durable, onGap: why => { order.push(why) } })
  const queue = a.bus.queue<number>('empty')
  const done: number[] = []
  await b.bus.queue<number>('empty').work(value => { done.push(value) })
  for (const n of [1, 2, 3]) await a.bus.publish('empty', n, durable)
  await queue.add(1)
  await until('all', () => order.length === 3 && done.length === 1)
  await server.kill()
  await t.rejects(a.bus.publish('empty', 4, durable), { code: /^FST_RSP_REDIS_/ })
  await server.restart()
  await until('it is back', () => a.bus.publish('empty', 5, durable).then(() => true, () => false))
  await until('it takes jobs', () => queue.add(5).then(() => true, () => false))
  await until('the fifth', () => order.includes(5) && done.at(-1) === 5)
  await until('a gap', () => order.includes('failover'))
  t.same(order.filter(value => typeof value === 'number'), [1, 2, 3, 5])
})

t.test('a key of another type is a clear error for who adds or works', async t => {
  const { client, instance } = await serverOf(t)
  const { bus } = await instance()
  await client.set(queueKey('wrong'), 'mine')
  const queue = bus.queue('wrong')
  await t.rejects(queue.add(1), { code: 'FST_RSP_REDIS_REPLY', reply: 'WRONGTYPE' })
  await t.rejects(queue.work(() => {}), { code: 'FST_RSP_REDIS_REPLY', reply: 'WRONGTYPE' })
  await client.del(queueKey('wrong'))
  const done: unknown[] = []
  await queue.work(value => { done.push(value) })
  await queue.add(1)
  await until('it is done', () => done.length === 1)
})

t.test('keys of a queue have an expiry, and who leaves is forgotten', async t => {
  const { client, instance } = await serverOf(t)
  const { bus } = await instance()
  const queue = bus.queue<number>('expiry', { attempts: 1, keep: '1h' })
  await queue.add(1)
  const within = async (key: string) => {
    const ms = await client.pttl(key)
    t.ok(ms > 3_500_000 && ms <= 3_600_000, `${key}: ${ms} ms`)
  }
  await within(queueKey('expiry'))
  const stop = await queue.work(() => { throw new TypeError('no') })
  await until('it is given up', async () => (await queue.counts()).dead === 1)
  await within(queueKey('expiry'))
  await within(`${queueKey('expiry')}:dead`)
  t.same(await workers(client, 'expiry'), [bus.origin])
  await stop()
  t.same(await workers(client, 'expiry'), [])
})
