import t from 'tap'
import { EventBuffer } from '../src/buffer.ts'
import { makeRoom, type PendingEntries } from '../src/room.ts'

/** A full buffer; of each metric some entries wait, and those in its batches were taken. */
function full (metrics: Record<string, { waits: number, batches?: number[] }>) {
  const taken = (metric: string) => (metrics[metric]!.batches ?? []).reduce((sum, size) => sum + size, 0)
  const buffer = new EventBuffer(Object.keys(metrics).reduce((sum, metric) => sum + metrics[metric]!.waits + taken(metric), 0))
  const observe = (metric: string, entries: number) => {
    for (let i = 0; i < entries; i++) if (!buffer.add(metric, `user:${i}`, 0)) throw new RangeError(metric)
  }
  for (const metric of Object.keys(metrics)) observe(metric, taken(metric))
  buffer.take()
  for (const metric of Object.keys(metrics)) observe(metric, metrics[metric]!.waits)
  const entry = { keyed: Buffer.alloc(8), member: Buffer.alloc(1), calls: 3 }
  const pending: PendingEntries = new Map(Object.entries(metrics).map(([metric, { batches = [] }]) => [metric, batches.map(size => ({ entries: new Array(size).fill(entry) }))]))
  return { buffer, pending, held: () => Object.fromEntries(buffer.shares().map(({ metric, entries }) => [metric, entries])) }
}

t.test('the metric that holds most gives up a sixteenth of what it has beyond a fair share', async t => {
  const { buffer, pending, held } = full({ most: { waits: 600 }, more: { waits: 350 }, few: { waits: 10 } })
  t.equal(makeRoom('few', buffer, pending), 18)
  t.same(held(), { most: 582, more: 350, few: 10 })
  t.ok(makeRoom('new', buffer, pending) > 0, 'a metric that has nothing yet has a share as well')
  t.equal(held().more, 350)
})

t.test('a metric that has its share takes nothing from others', async t => {
  const { buffer, pending, held } = full({ most: { waits: 600 }, more: { waits: 320 }, few: { waits: 40 } })
  for (const metric of ['most', 'more']) t.equal(makeRoom(metric, buffer, pending), 0)
  t.same(held(), { most: 600, more: 320, few: 40 })
  const alone = full({ only: { waits: 5 } })
  t.equal(makeRoom('only', alone.buffer, alone.pending), 0, 'a metric alone may have it all')
  const crowd = full({ a: { waits: 1 }, b: { waits: 1 } })
  t.equal(makeRoom('c', crowd.buffer, crowd.pending), 0, 'where there is less than a place for each, who comes late gets none')
})

t.test('what was never offered is given up after what waits, the latest first; what was offered stays', async t => {
  const { buffer, pending, held } = full({ stuck: { waits: 1, batches: [20, 20, 2] } })
  const sizes = () => pending.get('stuck')!.map(({ entries }) => entries.length)
  t.equal(makeRoom('new', buffer, pending), 1)
  t.same(sizes(), [20, 20, 2])
  const lost = []
  for (let room; (room = makeRoom('new', buffer, pending)) > 0;) lost.push(room)
  t.ok(lost.every(calls => calls % 3 === 0))
  t.same([held(), sizes()], [{ stuck: 21 }, [20, 1]])
  const offered = full({ stuck: { waits: 0, batches: [40] }, few: { waits: 1 } })
  t.equal(makeRoom('few', offered.buffer, offered.pending), 0)
})
