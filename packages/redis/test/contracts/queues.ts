import type { Test } from 'tap'
import { gate, seeded, until } from '@respite/testing'
import { defineTopic } from '../../src/bus/topic-definition.ts'
import type { JobInfo, QueueOptions } from '../../src/queues/queue.ts'
import { counted, onAcknowledged } from '../messages-of.ts'
import type { MessagesFixture } from './durable-topics.ts'

/** Short, so that what is tried again is so soon. */
const soon: QueueOptions = { retryAfter: 1, lease: 2_000 }

/** What every queue does, whatever holds its jobs. */
export function queuesContract (t: Test, { instance }: MessagesFixture): void {
  t.test('each job is done once by one of the instances, and is gone then', async t => {
    const instances = [await instance(), await instance(), await instance()]
    const queues = instances.map(({ bus }) => bus.queue<number>('spread'))
    const done: number[] = []
    const infos: JobInfo[] = []
    for (const queue of queues.slice(1)) {
      await queue.work((value, job) => {
        done.push(value)
        infos.push(job)
      })
    }
    const ids = []
    for (let n = 0; n < 100; n++) ids.push(await queues[0]!.add(n))
    await until('all', () => done.length === 100)
    await until('none pending', async () => (await queues[0]!.counts()).pending === 0)
    t.same(done.sort((a, b) => a - b), Array.from({ length: 100 }, (_, n) => n))
    t.same(infos.map(({ id }) => id).sort(), [...ids].sort())
    t.ok(infos.every(({ attempt, origin, queue }) => attempt === 1 && origin === instances[0]!.bus.origin && queue === 'spread'))
    await until('all are counted', () => instances.slice(1).reduce((sum, { metrics }) => sum + counted(metrics, 'bus_queue_jobs_total', 'spread', 'done'), 0) === 100)
  })

  t.test('jobs that are there before somebody works are done', async t => {
    const queue = (await instance()).bus.queue('before')
    for (const n of [1, 2, 3]) await queue.add(n)
    t.same(await queue.counts(), { pending: 3, dead: 0 })
    const done: unknown[] = []
    await (await instance()).bus.queue('before').work(value => { done.push(value) })
    await until('all', () => done.length === 3)
    t.same(done, [1, 2, 3])
  })

  t.test('no more jobs are at work at once than it says', async t => {
    const queue = (await instance()).bus.queue<number>('bounded')
    let [running, most, done] = [0, 0, 0]
    for (let n = 0; n < 30; n++) await queue.add(n)
    await queue.work(async () => {
      most = Math.max(most, ++running)
      await new Promise(resolve => setImmediate(resolve))
      running--
      done++
    }, { concurrency: 3 })
    await until('all', () => done === 30)
    t.equal(most, 3)
  })

  t.test('a job that fails is tried again, and after its last try is a dead letter that can be read, put back and thrown away', async t => {
    const errors: object[] = []
    const { bus, metrics } = await instance({ errors })
    const queue = bus.queue<{ secret: string }>('failing', { ...soon, attempts: 3 })
    const attempts: number[] = []
    let fails = true
    await queue.work((_, { attempt }) => {
      attempts.push(attempt)
      if (fails) throw new TypeError('no')
    })
    await queue.add({ secret: 'sesame' })
    await until('a dead letter', async () => (await queue.counts()).dead === 1)
    t.same(attempts, [1, 2, 3])
    t.same(await queue.counts(), { pending: 0, dead: 1 })
    const [letter] = await queue.dead()
    t.match(letter, { value: { secret: 'sesame' }, attempts: 3, reason: 'failed' })
    t.same(await queue.dead({ after: letter!.id }), [])
    t.equal(errors.length, 3)
    t.notMatch(JSON.stringify(errors), /sesame/)
    t.equal(counted(metrics, 'bus_queue_jobs_total', 'failing', 'dead'), 1)
    fails = false
    t.equal(await queue.redrive([letter!.id, '1-1']), 1)
    await until('it is done', async () => attempts.length === 4 && (await queue.counts()).pending === 0)
    t.equal(attempts.at(-1), 1)
    t.same(await queue.counts(), { pending: 0, dead: 0 })
    fails = true
    await queue.add({ secret: 'again' })
    await until('a dead letter', async () => (await queue.counts()).dead === 1)
    t.equal(await queue.discard((await queue.dead()).map(({ id }) => id)), 1)
    t.same(await queue.dead(), [])
  })

  t.test('what is no id of a dead letter is a clear error, and nothing is done with those beside it', async t => {
    const queue = (await instance()).bus.queue<number>('misread', { ...soon, attempts: 1 })
    await queue.work(() => { throw new TypeError('no') })
    await queue.add(1)
    await until('it is given up', async () => (await queue.counts()).dead === 1)
    const { id } = (await queue.dead())[0]!
    const expected = (given: string) => ({ code: 'FST_RSP_BUS_LETTER_ID_INVALID', statusCode: 400, message: `'${given}' is no id of a dead letter of the queue 'misread'` })
    for (const wrong of ['', 'latest', '-', '1-2-3', `${'9'.repeat(20)}-0`]) {
      await t.rejects(queue.redrive([id, wrong]), expected(wrong))
      await t.rejects(queue.discard([id, wrong]), expected(wrong))
      await t.rejects(queue.dead({ after: wrong }), expected(wrong))
    }
    await t.rejects(queue.redrive([id, undefined as unknown as string]), expected('undefined'))
    t.same(await queue.counts(), { pending: 0, dead: 1 })
    t.same(await queue.dead({ after: id }), [])
    t.equal(await queue.discard([id]), 1)
  })

  t.test('dead letters are bounded: the oldest go', async t => {
    const queue = (await instance()).bus.queue<number>('graveyard', { ...soon, attempts: 1, maxDead: 3 })
    let tried = 0
    await queue.work(() => {
      tried++
      throw new TypeError('no')
    }, { concurrency: 1 })
    for (let n = 0; n < 8; n++) await queue.add(n)
    await until('all are given up', async () => tried === 8 && (await queue.counts()).pending === 0)
    t.same((await queue.dead()).map(({ value }) => value), [5, 6, 7])
  })

  t.test('a handler that never ends is aborted at its deadline, tried again and given up, and holds nobody up', async t => {
    const queue = (await instance()).bus.queue<string>('endless', { ...soon, attempts: 2, deadline: 50 })
    const signals: AbortSignal[] = []
    let others = 0
    await queue.work(async (value, { signal }) => {
      if (value === 'other') {
        others++
        return
      }
      signals.push(signal)
      await new Promise(() => {})
    }, { concurrency: 1 })
    await queue.add('endless')
    await queue.add('other')
    await until('it is given up', async () => (await queue.counts()).dead === 1)
    await until('the other is done', () => others === 1)
    t.equal(signals.length, 2)
    t.ok(signals.every(({ aborted, reason }) => aborted && reason.code === 'FST_RSP_BUS_JOB_DEADLINE'))
    t.match(await queue.dead(), [{ value: 'endless', attempts: 2, reason: 'deadline' }])
  })

  t.test('refuses jobs when it is full, and takes them again when there is room', async t => {
    const { bus, metrics } = await instance()
    const queue = bus.queue<number>('full', { maxPending: 2 })
    await queue.add(1)
    await queue.add(2)
    await t.rejects(queue.add(3), { code: 'FST_RSP_BUS_QUEUE_FULL', message: /'full'.* 2 jobs/, statusCode: 503 })
    t.equal(counted(metrics, 'bus_queue_jobs_total', 'full', 'full'), 1)
    const done: number[] = []
    await queue.work(value => { done.push(value) })
    await until('room', async () => (await queue.counts()).pending === 0)
    await queue.add(4)
    await until('the last', () => done.length === 3)
    t.same(done, [1, 2, 4])
  })

  t.test('what does not fit is not added; what comes and does not fit is a dead letter at once', async t => {
    const schema = { type: 'string' } as const
    const queue = (await instance()).bus.queue(defineTopic<string>('fitting', { schema }), soon)
    await t.rejects(queue.add(5 as never), { code: 'FST_RSP_BUS_INVALID' })
    await (await instance()).bus.queue<number>('fitting', soon).add(5)
    const done: string[] = []
    await queue.work(value => { done.push(value) })
    await queue.add('right')
    await until('both', async () => done.length === 1 && (await queue.counts()).dead === 1)
    t.match(await queue.dead(), [{ value: 5, attempts: 1, reason: 'invalid' }])
  })

  t.test('is defined and worked on once a process; wrong options say which', async t => {
    const { bus } = await instance()
    const queue = bus.queue('once')
    t.throws(() => bus.queue('once'), { code: 'FST_RSP_BUS_QUEUE_TWICE' })
    const stop = await queue.work(() => {})
    await t.rejects(queue.work(() => {}), { code: 'FST_RSP_BUS_QUEUE_TWICE' })
    await stop()
    await (await queue.work(() => {}))()
    t.throws(() => bus.queue('wrong', { attempts: 0 }), { code: 'FST_RSP_OPTION_INVALID', message: /attempts.*0/ })
    await t.rejects(bus.queue('wrong').work(() => {}, { concurrency: 0 }), { code: 'FST_RSP_OPTION_INVALID', message: /concurrency.*0/ })
  })

  t.test('who stops finishes what is at work, and gives the rest to others', async t => {
    const [a, b] = [await instance(), await instance()]
    const slow = gate()
    const [first, second]: [number[], number[]] = [[], []]
    const queue = a.bus.queue<number>('stop')
    const stop = await queue.work(async value => {
      await slow.pass()
      first.push(value)
    }, { concurrency: 1 })
    for (let n = 0; n < 5; n++) await queue.add(n)
    await slow.reached
    const stopped = stop()
    slow.open()
    await stopped
    t.same(first, [0])
    await b.bus.queue<number>('stop').work(value => { second.push(value) })
    await until('the rest', () => second.length === 4)
    t.same(second.sort(), [1, 2, 3, 4])
  })

  t.test('closing waits no longer than it may, and what is not done by then is done by others, as the first try', async t => {
    const [a, b] = [await instance({ closeWithinMs: 20 }), await instance()]
    const queue = a.bus.queue<number>('unfinished')
    let signal: AbortSignal | undefined
    await queue.work(async (_, job) => {
      signal = job.signal
      await new Promise(() => {})
    })
    await queue.add(1)
    await until('it is at work', () => signal !== undefined)
    await a.bus.close()
    t.match(signal, { aborted: true, reason: { code: 'FST_RSP_BUS_JOB_TAKEN' } })
    const attempts: number[] = []
    await b.bus.queue<number>('unfinished').work((_, { attempt }) => { attempts.push(attempt) })
    await until('another does it', () => attempts.length === 1)
    t.same(attempts, [1])
  })

  t.test('whatever happens in whatever order, each job is done at least once, and never again once it was acknowledged', async t => {
    const random = seeded(t)
    const [a, b, c] = [await instance(), await instance(), await instance()]
    const options: QueueOptions = { attempts: 1_000, deadline: 40, lease: 120, retryAfter: 5 }
    const [adder, ...workers] = [a, b, c].map(({ bus }) => bus.queue<number>('any order', options))
    const [done, acknowledged, broken] = [new Map<number, number>(), new Set<string>(), [] as string[]]
    onAcknowledged(t, id => {
      if (acknowledged.has(id)) broken.push(`${id} was acknowledged twice`)
      acknowledged.add(id)
    })
    for (const [i, queue] of workers.entries()) {
      const work = () => queue.work(async (value, { id }) => {
        if (acknowledged.has(id)) broken.push(`${id} began again after it was acknowledged`)
        const choice = random.below(10)
        if (choice === 0) throw new TypeError('fails')
        if (choice === 1) await new Promise(() => {})
        for (let turns = random.below(5); turns > 0; turns--) await new Promise(resolve => setImmediate(resolve))
        done.set(value, (done.get(value) ?? 0) + 1)
      }, { concurrency: 1 + i * 3 })
      // Workers leave and come back.
      const come = async (times: number): Promise<void> => {
        const stop = await work()
        if (times === 0) return
        const enough = done.size + 5 + random.below(20)
        const leave = setInterval(() => {
          if (done.size < Math.min(enough, 100)) return
          clearInterval(leave)
          stop().then(() => come(times - 1), error => broken.push(String(error)))
        }, 1)
      }
      await come(3)
    }
    for (let n = 0; n < 120; n++) await adder!.add(n)
    await until('all', async () => (await adder!.counts()).pending === 0, 20_000)
    t.equal(done.size, 120)
    // An answer may still be on its way when the job is gone.
    await until('all are acknowledged', () => acknowledged.size === 120)
    t.same(broken, [])
    t.same(await adder!.dead(), [])
  })
}
