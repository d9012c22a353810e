import { gate, startRedis, until } from '@respite/testing'
import { Redis, ReplyError } from 'ioredis'
import t, { type Test } from 'tap'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { RedisWorkPlace } from '../../src/queues/redis-work-place.ts'
import { messagesOver } from './messages-of.ts'

/** A client of a server of its own. */
async function clientOf (t: Test): Promise<Redis> {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1')
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  return client
}

/** Stands between the answers to reads and whoever they are for, until the test ends. */
function onReceived (t: Test, tell: (receive: () => void) => void): void {
  const { receive } = RedisWorkPlace.prototype
  RedisWorkPlace.prototype.receive = function (entries) { tell(() => receive.call(this, entries)) }
  t.teardown(() => { RedisWorkPlace.prototype.receive = receive })
}

t.test('a new job and one that is tried again, both given to the last place there is, are done one after the other, and none has lost a try', async t => {
  const client = await clientOf(t)
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

for (const [version, asItSays] of [
  ['7', (message: string) => message],
  ['6.2', (message: string) => `ERR Error running script (call to f_5bec): @user_script:6: ${message}`]
] as const) {
  t.test(`a group that is lost while every place is taken is made again, whatever form the error has: Redis ${version}`, async t => {
    const client = await clientOf(t)
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
  const { bus } = await messagesOver(t, createIoredisAdapter(await clientOf(t)))
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
