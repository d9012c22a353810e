import { gate, until } from '@respite/testing'
import t, { type Test } from 'tap'
import { encodeEnvelope } from '../../src/bus/envelope.ts'
import { defineTopic, type TypedTopic } from '../../src/bus/topic-definition.ts'
import { systemClock } from '../../src/clock.ts'
import { createMetrics } from '../../src/metrics/registry.ts'
import { metrics as named } from '../../src/metrics.ts'
import type { JobHandler } from '../../src/queues/queue.ts'
import { resolveQueueOptions } from '../../src/queues/queue-options.ts'
import type { WorkPlace } from '../../src/queues/queue-store.ts'
import { Worker } from '../../src/queues/worker.ts'

interface WorkerSettings {
  topic?: TypedTopic<number>
  handler: JobHandler<number>
  concurrency?: number
  deadline?: number
  lease?: number
  place?: Partial<WorkPlace>
}

/** A worker at a place that writes down what it is told. */
function workerOf (t: Test, { topic = defineTopic<number>('work'), handler, concurrency = 1, deadline = 5_000, lease = 5_000, place: told = {} }: WorkerSettings) {
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
    leave: async () => { said.push('left') },
    ...told
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

// Seen: it was prolonged, and so tried again after its lease, not after its wait.
t.test('a job that was given back is not prolonged while the answer is on its way', async t => {
  const [slow, given] = [gate(), gate()]
  const prolonged: (readonly string[])[] = []
  const place: Partial<WorkPlace> = {
    fail: async () => {
      prolonged.length = 0
      await given.pass()
      return 'retried'
    },
    prolong: async ids => {
      prolonged.push(ids)
      return []
    }
  }
  const handler = async (value: number) => {
    if (value === 2) await slow.pass()
    else throw new TypeError('fails')
  }
  const { give } = workerOf(t, { concurrency: 2, lease: 100, place, handler })
  give(2, 1)
  await given.reached
  await until('two beats', () => prolonged.length >= 2)
  t.same(prolonged.slice(0, 2), [['job 2'], ['job 2']])
  given.open()
  slow.open()
})
