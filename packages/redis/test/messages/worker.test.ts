import { gate, startRedis, until } from '@respite/testing'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import { encodeEnvelope } from '../../src/bus/envelope.ts'
import { defineTopic, type TypedTopic } from '../../src/bus/topic-definition.ts'
import { createIoredisAdapter } from '../../src/clients/ioredis.ts'
import { systemClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics/registry.ts'
import { metrics as named } from '../../src/metrics.ts'
import type { JobHandler } from '../../src/queues/queue.ts'
import { resolveQueueOptions } from '../../src/queues/queue-options.ts'
import type { WorkPlace } from '../../src/queues/queue-store.ts'
import { RedisWorkPlace } from '../../src/queues/redis-work-place.ts'
import { Worker } from '../../src/queues/worker.ts'
import { messagesOver } from './messages-of.ts'

interface WorkerSettings {
  topic?: TypedTopic<number>
  handler: JobHandler<number>
  concurrency?: number
  deadline?: number
  lease?: number
}

/** A worker at a place that writes down what it is told. */
function workerOf (t: Test, { topic = defineTopic<number>('work'), handler, concurrency = 1, deadline = 5_000, lease = 5_000 }: WorkerSettings) {
  const said: string[] = []
  const lost: string[] = []
  const place: WorkPlace = {
    wants: () => {},
    settle: async id => {
      said.push(`${id} is done`)
      return true
    },
    fail: async (id, reason) => {
      said.push(`${id} is ${reason}`)
      return 'retried'
    },
    release: async id => { said.push(`${id} is released`) },
    prolong: async () => lost,
    stop: async () => { said.push('stopped') },
    leave: async () => { said.push('left') }
  }
  const worker = new Worker<number>({
    topic,
    handler,
    concurrency,
    options: resolveQueueOptions({ deadline, lease }),
    clock: systemClock,
    log: { error: () => {} },
    jobs: createMetrics().counter(named.queueJobs)
  })
  worker.start(place)
  t.teardown(() => worker.stop(0))
  const give = (...values: number[]) => worker.take(values.map(value => ({ id: `job ${value}`, attempt: 1, message: Buffer.from(encodeEnvelope('work', { origin: 'test', sequence: 0, value })) })))
  return { worker, said, lost, give }
}

/** A topic whose values are checked when this has resolved. */
const checkedBy = (check: () => Promise<unknown>) => defineTopic<number>('work', {
  schema: { '~standard': { version: 1, vendor: 'test', validate: async value => await check().then(() => ({ value: value as number })) } }
})

t.test('a job that is given beyond what may be at work at once is given back at once', async t => {
  const slow = gate()
  const begun: number[] = []
  const { worker, said, give } = workerOf(t, {
    concurrency: 2,
    handler: async value => {
      begun.push(value)
      await slow.pass()
    }
  })
  give(1)
  give(2, 3)
  t.equal(worker.running, 2)
  t.same(said, ['job 3 is released'])
  give(2, 1)
  t.same(said, ['job 3 is released'], 'what is at work is not given back when it is given once more')
  slow.open()
  await until('both are done', () => worker.running === 0)
  t.same(begun, [1, 2])
  t.same(said, ['job 3 is released', 'job 1 is done', 'job 2 is done'])
})

t.test('a new job and one that is tried again, both given to the last place there is, are done one after the other, and none has lost a try', async t => {
  const server = await startRedis()
  const client = new Redis(server.port, '127.0.0.1')
  t.teardown(async () => {
    client.disconnect()
    await server.stop()
  })
  const { bus } = await messagesOver(t, createIoredisAdapter(client))
  const queue = bus.queue<string>('last place', { lease: 1_000, retryAfter: 400 })
  const tried: string[] = []
  const again = gate()
  let [running, most] = [0, 0]
  // The answer of the read is on its way until the other job is at work.
  const { receive } = RedisWorkPlace.prototype
  t.teardown(() => { RedisWorkPlace.prototype.receive = receive })
  let reads = 0
  RedisWorkPlace.prototype.receive = function (entries) {
    if (++reads === 1) receive.call(this, entries)
    else {
      again.reached.then(() => {
        receive.call(this, entries)
        again.open()
      }).catch(() => {})
    }
  }
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

t.test('who stops a worker that is stopping waits for its jobs as well', async t => {
  const slow = gate()
  const { worker, said, give } = workerOf(t, { handler: () => slow.pass() })
  give(1)
  await slow.reached
  const stops = [worker.stop(5_000), worker.stop(5_000)].map(stop => stop.then(() => said.push('told')))
  await new Promise(resolve => setImmediate(resolve))
  t.same(said, ['stopped'])
  slow.open()
  await Promise.all(stops)
  t.same(said, ['stopped', 'job 1 is done', 'left', 'told', 'told'])
})

t.test('a deadline that passes while a job is checked ends it, and its handler does not begin', async t => {
  const slow = gate()
  let begun = 0
  const topic = checkedBy(() => slow.pass())
  const { worker, said, give } = workerOf(t, { topic, deadline: 20, handler: () => { begun++ } })
  give(1)
  await until('its place is free', () => worker.running === 0)
  t.same(said, ['job 1 is deadline'])
  slow.open()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(begun, 0)
})

t.test('a job that is lost to another worker while it is checked frees its place', async t => {
  const slow = gate()
  const topic = checkedBy(() => slow.pass())
  let begun = 0
  const { worker, said, lost, give } = workerOf(t, { topic, lease: 100, handler: () => { begun++ } })
  give(1)
  await slow.reached
  lost.push('job 1')
  await until('its place is free', () => worker.running === 0)
  slow.open()
  await new Promise(resolve => setImmediate(resolve))
  t.equal(begun, 0)
  t.same(said, [])
})
