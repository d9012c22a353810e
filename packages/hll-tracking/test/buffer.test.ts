import t from 'tap'
import { EventBuffer, type Tally } from '../src/buffer.ts'

const minute = 60_000
const countsOf = (tallies: ReadonlyMap<string, Tally>) => Object.fromEntries(Array.from(tallies, ([id, { calls }]) => [id, calls]))
const flat = (buffer: EventBuffer, stays?: Set<string>) => buffer.take(stays).map(({ metric, minuteMs, tallies }) => [metric, minuteMs, countsOf(tallies)])

t.test('an id is held once a metric and minute, however often it is seen', async t => {
  const buffer = new EventBuffer(10)
  for (let i = 0; i < 5; i++) t.ok(buffer.add('ping', 'alice', 3 * minute + i))
  buffer.add('ping', 'bob', 3 * minute)
  buffer.add('pong', 'alice', 3 * minute)
  buffer.add('ping', 'alice', 4 * minute)
  t.equal(buffer.size, 4)
  t.equal(buffer.waiting, 4)
  t.same(flat(buffer), [['ping', 3 * minute, { alice: 5, bob: 1 }], ['pong', 3 * minute, { alice: 1 }], ['ping', 4 * minute, { alice: 1 }]])
  t.same(flat(buffer), [])
})

t.test('it never holds more than its bound; what is taken keeps its place until it is released', async t => {
  const buffer = new EventBuffer(2)
  t.ok(buffer.add('ping', 'a', 0))
  t.ok(buffer.add('ping', 'b', 0))
  t.notOk(buffer.add('ping', 'c', 0))
  t.ok(buffer.add('ping', 'a', 0), 'who is in it already still counts')
  buffer.take()
  t.equal(buffer.waiting, 0)
  t.notOk(buffer.add('ping', 'c', 0))
  buffer.release('ping', 2)
  t.ok(buffer.add('ping', 'c', 0))
  t.equal(buffer.size, 1)
})

t.test('a metric that is left out goes on gathering in its minute, and is handed out later, the oldest first', async t => {
  const buffer = new EventBuffer(10)
  for (const ms of [0, minute, minute + 1]) for (const metric of ['ping', 'pong']) buffer.add(metric, 'alice', ms)
  t.same(flat(buffer, new Set(['ping'])), [['pong', 0, { alice: 1 }], ['pong', minute, { alice: 2 }]])
  t.equal(buffer.waiting, 2)
  buffer.add('ping', 'alice', minute + 2)
  t.same(flat(buffer), [['ping', 0, { alice: 1 }], ['ping', minute, { alice: 3 }]])
  t.equal(buffer.waiting, 0)
})

t.test('a metric gives up what waits, the oldest first, and nothing that was taken', async t => {
  const buffer = new EventBuffer(10)
  buffer.add('ping', 'taken', 0)
  buffer.take()
  for (const [id, ms] of [['a', 0], ['b', 0], ['b', 1], ['a', minute], ['c', minute]] as const) buffer.add('ping', id, ms)
  buffer.add('pong', 'a', minute)
  t.same(buffer.shares(), [{ metric: 'ping', entries: 5, waiting: 4 }, { metric: 'pong', entries: 1, waiting: 1 }])
  t.equal(buffer.giveUp('ping', 3), 4, 'calls of three entries')
  t.same([buffer.size, buffer.waiting], [3, 2])
  t.ok(buffer.add('ping', 'c', minute), 'what stays goes on gathering')
  t.same(flat(buffer), [['ping', minute, { c: 2 }], ['pong', minute, { a: 1 }]])
  t.equal(buffer.giveUp('ping', 7), 0)
  buffer.release('ping', 2)
  t.same(buffer.shares().map(({ metric }) => metric), ['pong'], 'a metric without entries has no share')
})

t.test('an event at midnight is in the day that begins', async t => {
  const midnight = Date.UTC(2026, 0, 1)
  const buffer = new EventBuffer(10)
  buffer.add('ping', 'a', midnight - 1)
  buffer.add('ping', 'a', midnight)
  t.same(buffer.take().map(({ minuteMs }) => minuteMs - midnight), [-minute, 0])
})
