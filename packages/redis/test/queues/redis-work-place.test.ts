import { gate, until } from '@respite/testing'
import { ReplyError } from 'ioredis'
import { mock } from 'node:test'
import t, { type Test } from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { resolveQueueOptions } from '../../src/queues/queue-options.ts'
import type { RedisQueueTools } from '../../src/queues/redis-queue-store.ts'
import { RedisWorkPlace } from '../../src/queues/redis-work-place.ts'
import { messagesOver } from '../messages-of.ts'
import { serverOf } from '../messages-server.ts'

/** Stands between the answers to reads and whoever they are for, until the test ends. */
function onReceived (t: Test, tell: (receive: () => void) => void): void {
  const { receive } = RedisWorkPlace.prototype
  RedisWorkPlace.prototype.receive = function (entries) { tell(() => receive.call(this, entries)) }
  t.teardown(() => { RedisWorkPlace.prototype.receive = receive })
}

t.test('a new job and one that is tried again, both given to the last place there is, are done one after the other, and none has lost a try', async t => {
  const { client } = await serverOf(t)
  const { bus } = await messagesOver(t, createIoredisAdapter(client))
  const queue = bus.queue<string>('last place', { lease: 1_000, retryAfter: 400 })
  const tried: string[] = []
  const again = gate()
  let [running, most] = [0, 0]
  let reads = 0
  onReceived(t, receive => {
    if (++reads === 1) receive()
    // The answer of the read is on its way until the other job is at work.
    else again.reached.then(receive).then(again.open, () => {})
  })
  await queue.work(async (value, { attempt }) => {
    most = Math.max(most, ++running)
    tried.push(`${value} ${attempt}`)
    try {
      if (tried.length === 1) throw new TypeError('fails')
      if (tried.length === 2) await again.pass()
    } finally {
      running--
    }
  }, { concurrency: 1 })
  await queue.add('old')
  await until('it has failed', () => tried.length === 1 && running === 0)
  await queue.add('new')
  await until('both are done', async () => (await queue.counts()).pending === 0)
  t.same(tried, ['old 1', 'old 2', 'new 1'])
  t.equal(most, 1)
})

// Seen: the job was taken for the one that was at work still, so that it lost a try and waited for a lease.
t.test('a job that has failed and is handed to the same worker at once is tried again, though both answers come together', async t => {
  const adapter = createIoredisAdapter((await serverOf(t)).client)
  const { exec } = adapter
  let failed: (() => void) | undefined
  let together = 0
  adapter.exec = command => exec.call(adapter, {
    ...command,
    done: (error, reply) => {
      const answered = () => command.done(error, reply)
      if (error === null && command.args.includes('failed')) {
        failed = answered
        return
      }
      const claimed = Array.isArray(reply) && Array.isArray(reply[1]) && reply[1].length > 0
      if (claimed && failed !== undefined) {
        failed()
        together++
      }
      answered()
    }
  })
  const { bus } = await messagesOver(t, adapter)
  const queue = bus.queue<number>('at once', { lease: 400, retryAfter: 0 })
  const tried: number[] = []
  await queue.work((_, { attempt }) => {
    tried.push(attempt)
    if (attempt === 1) throw new TypeError('fails')
  })
  await queue.add(1)
  await until('it is done', async () => (await queue.counts()).pending === 0)
  t.same(tried, [1, 2])
  t.equal(together, 1)
})

// Seen: a look that had found the lease of a job passed was answered before the acknowledgement of this job, and heard after it.
t.test('a job whose worker acknowledges it as it is handed to the same worker once more does not begin again', async t => {
  const adapter = createIoredisAdapter((await serverOf(t)).client)
  const { exec } = adapter
  const { prolong } = RedisWorkPlace.prototype
  RedisWorkPlace.prototype.prolong = async () => []
  t.teardown(() => { RedisWorkPlace.prototype.prolong = prolong })
  const [working, begun] = [gate(), [] as number[]]
  let claimed: (() => void) | undefined
  let together = 0
  adapter.exec = command => exec.call(adapter, {
    ...command,
    done: (error, reply) => {
      const answered = () => command.done(error, reply)
      if (claimed === undefined && Array.isArray(reply) && Array.isArray(reply[1]) && reply[1].length > 0) {
        claimed = answered
        working.open()
        return
      }
      if (claimed !== undefined && reply === 1 && together++ === 0) claimed()
      answered()
    }
  })
  const { bus } = await messagesOver(t, adapter)
  const queue = bus.queue<number>('twice', { lease: 100 })
  await queue.work(async value => {
    begun.push(value)
    if (value === 1) await working.pass()
  }, { concurrency: 2 })
  await queue.add(1)
  await until('it is acknowledged', () => together === 1)
  await queue.add(2)
  await until('the next is done', async () => begun.includes(2) && (await queue.counts()).pending === 0)
  t.same(begun, [1, 2])
})

for (const [version, asItSays] of [
  ['7', (message: string) => message],
  ['6.2', (message: string) => `ERR Error running script (call to f_5bec): @user_script:6: ${message}`]
] as const) {
  t.test(`a group that is lost while every place is taken is made again, whatever form the error has: Redis ${version}`, async t => {
    const { client } = await serverOf(t)
    const adapter = createIoredisAdapter(client)
    const { exec } = adapter
    let misses = 0
    adapter.exec = command => exec.call(adapter, {
      ...command,
      done: (error, reply) => {
        const missed = error !== null && command.name === 'EVALSHA' && error.message.startsWith('NOGROUP')
        if (missed) misses++
        command.done(missed ? new ReplyError(asItSays(error.message)) : error, reply)
      }
    })
    const { bus } = await messagesOver(t, adapter)
    const slow = gate()
    const queue = bus.queue<number>('lost group', { lease: 100 })
    await queue.work(() => slow.pass(), { concurrency: 1 })
    await queue.add(1)
    await slow.reached
    const [key] = await client.keys('*lost*')
    await client.del(key!)
    await until('it is made again', async () => await client.exists(key!) === 1)
    t.match(await client.xinfo('GROUPS', key!), [['name', 'workers']])
    t.ok(misses > 0)
    slow.open()
  })
}

t.test('a job whose delivery was lost has had a try: it is tried again, or given up without having begun where that was the last', async t => {
  const { bus } = await messagesOver(t, createIoredisAdapter((await serverOf(t)).client))
  let received = 0
  onReceived(t, () => { received++ })
  const tried: string[] = []
  for (const attempts of [1, 2]) {
    const queue = bus.queue<number>(`lost delivery ${attempts}`, { lease: 100, attempts })
    await queue.work((value, { attempt }) => { tried.push(`${value} ${attempt}`) })
    await queue.add(attempts)
    await until('it is over', async () => (await queue.counts()).pending === 0)
    t.match(await queue.dead(), attempts === 1 ? [{ value: 1, attempts: 1, reason: 'crashed' }] : [])
  }
  t.equal(received, 2)
  t.same(tried, ['2 2'])
})

// Seen: with a `keep` of a second, which is as long as the time between two looks, a queue expired with the job that was at work.
t.test('who works on a queue prolongs its keys several times within what it is kept', t => {
  mock.timers.enable({ apis: ['setInterval'] })
  t.teardown(() => mock.timers.reset())
  const run = mock.fn(async () => [0, []])
  const tools = { link: { state: 'up', run }, lanes: { add: () => {} }, options: resolveQueueOptions({ keep: '1s' }) } as unknown as RedisQueueTools
  new RedisWorkPlace(tools, { room: 0, take: () => {}, givenBack: () => {} }, async () => {}).start()
  mock.timers.tick(500)
  t.ok(run.mock.callCount() > 0)
  t.end()
})
