import { systemClock } from '@respite/redis'
import { gate, until } from '@respite/testing'
import type { FastifyBaseLogger } from 'fastify'
import t from 'tap'
import { FlushQueue } from '../src/flush-queue.ts'

const place = (i: number) => ({ tag: 'tag', hash: `hash ${i}` })

function logOf (warnings: object[]): FastifyBaseLogger {
  return { debug: () => undefined, warn: (what: object) => { warnings.push(what) } } as unknown as FastifyBaseLogger
}

t.test('holds 10,000 sessions; beyond, the oldest is flushed at once, also when that fails', async t => {
  for (const fails of [false, true]) {
    const flushed: string[] = []
    const first = gate()
    const queue = new FlushQueue(async ({ hash }) => {
      flushed.push(hash)
      await first.pass()
      if (fails) throw new TypeError('down')
    }, { everyMs: 3_600_000, clock: systemClock, log: logOf([]) })
    for (let i = 0; i < 10_000; i++) queue.add(place(i))
    t.same(flushed, [])
    queue.add(place(10_000))
    await first.reached
    first.open()
    t.equal(flushed[0], 'hash 0')
    t.notOk(queue.take('hash 0'))
    t.ok(queue.take('hash 9999'))
    t.ok(flushed.length <= 8)
  }
})

t.test('a session is noted once, until it is taken', async t => {
  const queue = new FlushQueue(async () => undefined, { everyMs: 3_600_000, clock: systemClock, log: logOf([]) })
  queue.add(place(1))
  queue.add(place(1))
  t.same([queue.take('hash 1'), queue.take('hash 1')], [true, false])
})

t.test('closes by flushing all; where nothing can be flushed it gives up after eight, and says how many are left', async t => {
  const flushed: string[] = []
  const good = new FlushQueue(async ({ hash }) => { flushed.push(hash) }, { everyMs: 3_600_000, clock: systemClock, log: logOf([]) })
  for (let i = 0; i < 20; i++) good.add(place(i))
  await good.close()
  t.equal(flushed.length, 20)
  const warnings: object[] = []
  let tried = 0
  const bad = new FlushQueue(async () => { tried++; throw new TypeError('down') }, { everyMs: 3_600_000, clock: systemClock, log: logOf(warnings) })
  for (let i = 0; i < 20; i++) bad.add(place(i))
  await bad.close()
  t.same([tried, warnings], [8, [{ sessions: 20 }]])
})

// Seen: with the database gone an app with thousands of unsaved sessions took a deadline for every eight of them to close.
t.test('a close while flushes fail gives up after those under way and eight more, and tells of all that are left', async t => {
  const warnings: object[] = []
  const first = gate()
  let tried = 0
  const queue = new FlushQueue(async () => {
    tried++
    await first.pass()
    throw new TypeError('down')
  }, { everyMs: 1, clock: systemClock, log: logOf(warnings) })
  for (let i = 0; i < 100; i++) queue.add(place(i))
  await until('a flush', () => tried > 0)
  const closing = queue.close()
  first.open()
  await closing
  t.ok(tried <= 16, `${tried} tries`)
  t.same(warnings, [{ sessions: 100 }])
})

t.test('says how many wait, and for how long the oldest has, whatever has failed meanwhile', async t => {
  let nowMs = 0
  const failed = gate()
  let tried = false
  const queue = new FlushQueue(async () => { tried = true; await failed.pass(); throw new TypeError('down') }, { everyMs: 20, clock: { ...systemClock, monotonicMs: () => nowMs }, log: logOf([]) })
  t.same([queue.size, queue.oldestMs], [0, 0])
  queue.add(place(1))
  nowMs = 500
  queue.add(place(2))
  t.same([queue.size, queue.oldestMs], [2, 500])
  // The queue's own timer keeps no process alive.
  await until('a flush', () => tried)
  failed.open()
  await until('the failed flush to wait again', () => queue.size === 2)
  t.equal(queue.oldestMs, 500)
  await queue.close()
})
