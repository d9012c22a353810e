import { gate, until } from '@respite/testing'
import type { Redis } from 'ioredis'
import { fork } from 'node:child_process'
import { once } from 'node:events'
import t, { type Test } from 'tap'
import { createKeyspace } from '../../src/keyspace.ts'
import { keys } from '../../src/keys.ts'
import type { QueueOptions } from '../../src/queues/queue.ts'
import { bucketOf } from '../../src/streams/bucket.ts'
import { serverOf } from '../messages-server.ts'
import type { DeathAt } from './worker-process.ts'

const queueKey = (name: string) => createKeyspace('respite').define(keys.queue.template).key(bucketOf(name), name)

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

t.test('a dead letter that somebody else put there says that it is not readable, and nothing that is none', async t => {
  const { client, instance } = await serverOf(t)
  const queue = (await instance()).bus.queue<number>('strange', {})
  await client.xadd(`${queueKey('strange')}:dead`, '*', 'm', 'x')
  const letters = await queue.dead()
  t.match(letters, [{ value: undefined, attempts: 0, reason: 'malformed' }])
  t.equal(await queue.discard(letters.map(({ id }) => id)), 1)
})

t.test('a worker that was frozen for a lease does not acknowledge what another has by then', async t => {
  const { server, instance } = await serverOf(t)
  // Long enough for a busy machine, on which whoever has the job by then could lose it in turn.
  const options: QueueOptions = { lease: 1_000, attempts: 10 }
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

t.test('with Redis frozen nothing hangs, and when it is back jobs are done', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const queue = a.bus.queue<number>('ice')
  const done: number[] = []
  await b.bus.queue<number>('ice').work(value => { done.push(value) })
  await queue.add(1)
  await until('the first', () => done.length === 1)
  server.freeze()
  await t.rejects(queue.add(2), { code: /^FST_RSP_REDIS_/ })
  server.thaw()
  await until('it takes jobs', () => queue.add(3).then(() => true, () => false))
  await until('the third', () => done.at(-1) === 3)
})

t.test('a Redis that was killed and comes back empty is worked for again', async t => {
  const { server, instance } = await serverOf(t)
  const [a, b] = [await instance(), await instance()]
  const queue = a.bus.queue<number>('empty')
  const done: number[] = []
  await b.bus.queue<number>('empty').work(value => { done.push(value) })
  await queue.add(1)
  await until('the first', () => done.length === 1)
  await server.kill()
  await t.rejects(queue.add(4), { code: /^FST_RSP_REDIS_/ })
  await server.restart()
  await until('it takes jobs', () => queue.add(5).then(() => true, () => false))
  await until('the fifth', () => done.at(-1) === 5)
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
