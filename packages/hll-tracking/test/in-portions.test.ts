import t from 'tap'
import { inPortions } from '../src/in-portions.ts'
import { Identities } from '../src/identity.ts'
import { MemoryStore } from '../src/stores/memory.ts'
import { assemble, fakeClock, secret, storeParts } from './assemble.ts'

function counted (identities: Identities) {
  const clock = fakeClock()
  const parts = storeParts(clock)
  const store = new MemoryStore(parts)
  const open = { now: 0, most: 0 }
  for (const name of ['count', 'sketch'] as const) {
    const ask = store[name].bind(store) as (...args: unknown[]) => Promise<unknown>
    Object.assign(store, {
      [name]: async (...args: unknown[]) => {
        open.most = Math.max(open.most, ++open.now)
        await new Promise(setImmediate)
        open.now--
        return await ask(...args)
      }
    })
  }
  return { clock, open, store, parts, ...assemble(store, parts, { identities }) }
}

const previous = [1, 2, 3].map(i => secret + i)

// Seen: with a thousand metrics and two keys six thousand scripts were sent at once, each with a second's time, and failed.
t.test('active callers of many metrics and a long series ask the store a few questions at a time', async t => {
  const { open, tracking } = counted(new Identities(secret, 'encrypted', previous))
  const metrics = Array.from({ length: 100 }, (_, i) => `metric ${i}`)
  for (const [i, metric] of metrics.entries()) for (let who = 0; who < 10; who++) tracking.observe(metric, `user:${i * 5 + who}`)
  const { dau, mau, stickiness } = await tracking.active({ metrics })
  t.match(dau, { exact: false })
  t.ok(dau.low <= 505 && dau.high >= 505, `${dau.value} of 505`)
  t.same([mau.value, stickiness], [dau.value, 1])
  t.match((await tracking.active({ metrics: metrics.slice(0, 40) })).dau, { value: 205, exact: true })
  t.equal(open.most, 16)
  open.most = 0
  const days = await tracking.unique('metric 1').series({ by: 'day' })
  t.same(days.filter(({ value }) => value > 0).map(({ start, value }) => [start, value]), [['2026-05-10', 10]])
  t.equal(open.most, 16)
})

t.test('of many, no other is begun once one has failed, and its error is the one that is told', async t => {
  const begun: number[] = []
  await t.rejects(inPortions([1, 2, 3, 4, 5], 2, async item => {
    begun.push(item)
    await new Promise(setImmediate)
    if (item === 2) throw new RangeError('two')
    return item
  }), { message: 'two' })
  t.ok(begun.length <= 3, `begun: ${begun}`)
  t.same(await inPortions([], 2, async item => item), [])
})
