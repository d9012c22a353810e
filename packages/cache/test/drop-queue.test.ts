import t from 'tap'
import { until } from '@respite/testing'
import { DropQueue, type Target } from '../src/drop-queue.ts'

function setUp (maxQueued = 100) {
  const tried: string[] = []
  const holds: boolean[] = []
  const dropper = {
    ns: 'app',
    down: true,
    async execute ({ kind, name }: Target) {
      if (dropper.down) throw new TypeError('no Redis')
      tried.push(`${kind} ${name}`)
      return 1
    }
  }
  return { tried, holds, dropper, queue: new DropQueue({ maxQueued, hold: held => { holds.push(held) } }) }
}

t.test('keeps one a target, and holds local copies until all are through', async t => {
  const { tried, holds, dropper, queue } = setUp()
  const settled = ['a', 'b', 'a'].map(name => queue.add(dropper, { kind: 'key', name }))
  t.equal(queue.size, 2)
  t.equal(holds.at(-1), true)
  await queue.drain()
  t.equal(queue.size, 2)
  dropper.down = false
  await queue.drain()
  await Promise.all(settled)
  t.strictSame(tried.toSorted(), ['key a', 'key b'])
  t.equal(holds.at(-1), false)
})

t.test('tries again by itself', async t => {
  const { dropper, queue } = setUp()
  const settled = queue.add(dropper, { kind: 'tag', name: 'x' })
  dropper.down = false
  await until('the second try', () => queue.size === 0)
  await settled
})

t.test('more than it may hold becomes the clear of the namespace, which settles them all', async t => {
  const { tried, dropper, queue } = setUp(3)
  const settled = ['a', 'b', 'c', 'd', 'e'].map(name => queue.add(dropper, { kind: 'key', name }))
  t.equal(queue.size, 1)
  dropper.down = false
  await queue.drain()
  await Promise.all(settled)
  t.strictSame(tried, ['clear '])
})

t.test('an invalidation made while an older one of its target is on the way is not settled by it', async t => {
  const { dropper, queue } = setUp()
  dropper.down = false
  const calls: (() => void)[] = []
  dropper.execute = () => new Promise(resolve => { calls.push(() => resolve(1)) })
  const first = queue.add(dropper, { kind: 'key', name: 'a' })
  const drained = queue.drain()
  await until('the first try', () => calls.length === 1)
  let second = false
  const later = queue.add(dropper, { kind: 'key', name: 'a' }).then(() => { second = true })
  calls[0]!()
  await until('the second try', () => calls.length === 2)
  t.equal(second, false)
  calls[1]!()
  await Promise.all([first, later, drained])
  t.equal(second, true)
})

t.test('an outage with very many invalidations of a target, or of more than may wait, costs no more than one promise each, and loses none', async t => {
  const { tried, dropper, queue } = setUp(2)
  const again = (name: string) => queue.add(dropper, { kind: 'key', name })
  const [first, other] = [again('a'), again('b')]
  t.equal(again('a'), first)
  const cleared = again('c')
  t.equal(again('a'), cleared)
  // More than a call can have arguments, which is what was once made of those who wait.
  for (let i = 0; i < 200_000; i++) queue.add(dropper, { kind: 'tag', name: `t${i}` })
  t.equal(queue.size, 1)
  dropper.down = false
  await queue.drain()
  await Promise.all([first, other, cleared])
  t.strictSame(tried, ['clear '])
})

t.test('a close waits for the drain that is under way, and refuses nothing that it brings through', async t => {
  const { dropper, queue } = setUp()
  const calls: (() => void)[] = []
  dropper.execute = () => new Promise(resolve => { calls.push(() => resolve(1)) })
  const settled = Promise.all(Array.from({ length: 65 }, (_, i) => queue.add(dropper, { kind: 'key', name: `${i}` })))
  const drained = queue.drain()
  await until('the first are on the way', () => calls.length === 64)
  const closed = queue.close()
  setImmediate(() => { for (const answer of calls.splice(0)) answer() })
  await until('the last is on the way', () => calls.length === 1)
  calls[0]!()
  await Promise.all([closed, drained])
  await t.resolves(settled)
})

t.test('what Redis never took is refused when the app closes', async t => {
  const { dropper, queue } = setUp()
  const settled = queue.add(dropper, { kind: 'key', name: 'a' })
  await queue.close()
  await t.rejects(settled, { code: 'FST_RSP_CACHE_QUEUE_LOST', message: /'a'/ })
})
