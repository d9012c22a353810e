import { systemClock } from '@respite/redis'
import { gate } from '@respite/testing'
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
