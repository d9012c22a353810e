import { systemClock } from '@respite/redis'
import t from 'tap'
import { LeasingStore } from '../../src/stores/leasing.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { RememberingStore } from '../../src/stores/remembering.ts'
import type { Check } from '../../src/stores/store.ts'
import { storeContract } from '../contracts/store.ts'
import { leased, processes, warm } from '../leases/simulated-processes.ts'
import { admittedInTurn, take, unitsFree } from '../rules.ts'

t.test('in front of memory it answers as a store does', async t => storeContract(t, () => {
  const store = new MemoryStore({ clock: systemClock, maxKeys: 10_000 })
  const remembering = () => new RememberingStore(store, { clock: systemClock, reachable: () => true, tell: () => {} })
  const leasing = () => new LeasingStore({ store: remembering(), clock: systemClock, meters: { count: () => {} }, instances: () => 2 })
  return { store: leasing(), again: leasing }
}))

t.test('who comes often is answered without a question, and never more than the limit', async t => {
  const { clock, store, nodes } = processes(4)
  const of = leased(1_000)
  t.equal(await admittedInTurn(3_000, i => {
    clock.nowMs += 10
    return take(nodes[i % 4]!, of)
  }), 1_000)
  t.ok(store.calls.length < 200, `${store.calls.length} questions`)
})

t.test('who comes seldom leases nothing', async t => {
  const { clock, store, one } = processes(1)
  for (let i = 0; i < 5; i++) {
    await take(one, leased(100))
    clock.nowMs += 60_000
  }
  t.same(store.calls.map(([asked]) => asked!.batch!.want), [1, 1, 1, 1, 1])
  t.equal(await unitsFree(store, leased(100)), 95)
})

t.test('of a key that nobody asks for any more it is given back a lifetime later, and others are told', async t => {
  const { clock, store, told, one, other } = processes(2)
  await warm(one, leased(100), 20)
  while ((await take(other, leased(100))).allowed);
  clock.nowMs += 3_999
  await one.sweep()
  t.equal(await unitsFree(store, leased(100)), 0, 'a question may still come')
  told.length = 0
  clock.nowMs += 1
  await one.sweep()
  const back = await unitsFree(store, leased(100))
  t.ok(back > 0)
  t.same(told, [['n', 's']])
  await one.sweep()
  await one.close()
  t.equal(await unitsFree(store, leased(100)), back, 'once')
})

t.test('a sweep leaves alone what is asked for, and what is spent', async t => {
  const { clock, store, told, one } = processes(1)
  await warm(one, leased(1_000))
  clock.nowMs += 10_000
  store.held = []
  const asked = take(one, leased(1_000))
  await one.sweep()
  t.same(told, [])
  store.answer()
  t.match(await asked, { allowed: true })
  t.equal(await unitsFree(one, leased(1_000)), 995)
})

t.test('a charge of a lease is given back to it, without a call', async t => {
  const { store, one } = processes(1)
  const of = leased(1_000)
  await warm(one, of)
  const left = () => unitsFree(one, of)
  const verdict = await take(one, of)
  const before = await left()
  const inStore = await unitsFree(store, of)
  await one.refund([{ ...of, atMs: verdict.outcomes[0]!.atMs }])
  t.equal(await left(), before + 1)
  t.equal(await unitsFree(store, of), inStore)
})

for (const [how, end] of Object.entries({
  reset: (node: LeasingStore, { rule, subject }: Check) => node.reset(rule, subject),
  block: (node: LeasingStore, { rule, subject }: Check) => node.block(rule, subject, 60_000)
})) {
  t.test(`${how} ends what is leased, here and in every process that is told of it`, async t => {
    const { store, told, one, other } = processes(2)
    const of = leased(1_000)
    for (const node of [one, other]) await warm(node, of)
    await end(one, of)
    t.same(told.at(-1), [of.rule.name, 's', true])
    other.forget(told.at(-1) as [string, string, true])
    for (const node of [one, other]) {
      const calls = store.calls.length
      t.match(await take(node, of), { allowed: how === 'reset' })
      t.equal(store.calls.length, calls + 1)
      t.equal(store.calls.at(-1)![0]!.batch!.back, undefined, 'nothing is given back of what no longer counts')
    }
  })
}

t.test('a refund in one process ends no lease of another: it is paid for', async t => {
  const { store, one } = processes(2)
  await warm(one, leased(1_000))
  const calls = store.calls.length
  one.forget(['n', 's'])
  await take(one, leased(1_000))
  t.equal(store.calls.length, calls)
})

t.test('a changed rule is asked for at once', async t => {
  const { one } = processes(1)
  await warm(one, leased(1_000))
  t.match(await take(one, leased(2)), { allowed: false }, 'more was used than the new limit')
})

t.test('of a fixed window what was not spent under a changed limit is given back; of gcra, whose units are others now, it is not', async t => {
  for (const algorithm of ['fixed-window', 'gcra'] as const) {
    const { store, one } = processes(1)
    await warm(one, leased(1_000, { algorithm }), 10)
    const unspent = await unitsFree(one, leased(1_000, { algorithm })) - await unitsFree(store, leased(1_000, { algorithm }))
    t.ok(unspent > 0)
    await take(one, leased(500, { algorithm }))
    if (algorithm === 'fixed-window') t.equal(await unitsFree(one, leased(500, { algorithm })), 500 - 11)
    else t.same(store.calls.at(-1)![0]!.batch!.back, undefined)
  }
})

t.test('the first batch under a changed rule is held, as every other', async t => {
  const { store, one } = processes(1)
  await warm(one, leased(1_000), 10)
  await take(one, leased(2_000))
  const calls = store.calls.length
  t.ok(store.calls.at(-1)![0]!.batch!.want > 1)
  for (let i = 0; i < 5; i++) await take(one, leased(2_000))
  t.equal(store.calls.length, calls)
})

t.test('what those who waited under an old rule are granted is spent by nobody under the new one', async t => {
  const { clock, store, one } = processes(1)
  const [old, now] = [leased(1_000), leased(20)]
  await warm(one, old, 10)
  one.clear()
  store.held = []
  const all = [take(one, old), take(one, old), take(one, now)]
  clock.nowMs++
  for (let i = 0; i < 3; i++) store.answer()
  await Promise.all(all)
  store.held = undefined
  t.equal(await admittedInTurn(40, () => take(one, now)), 0, 'more than the new limit is charged')
})

t.test('close gives everything back, and nothing is spent after it', async t => {
  const { store, one, other } = processes(2)
  for (const name of ['a', 'b']) await warm(one, leased(1_000, { name }), 10)
  await one.close()
  for (const name of ['a', 'b']) t.equal(await unitsFree(store, leased(1_000, { name })), 990)
  const calls = store.calls.length
  await take(one, leased(1_000, { name: 'a' }))
  t.equal(store.calls.length, calls + 1)
  t.match(await take(other, leased(1_000, { name: 'a' })), { allowed: true })
})

t.test('a close waits for the question under way, and gives back what it was granted; who waited for it is answered', async t => {
  const { store, one } = processes(1)
  const of = leased(1_000)
  await warm(one, of, 10)
  one.clear()
  const before = await unitsFree(store, of)
  store.held = []
  const all = Array.from({ length: 30 }, () => take(one, of))
  let closed = false
  const close = one.close().then(() => { closed = true })
  await new Promise(setImmediate)
  t.equal(closed, false)
  while (store.held.length > 0) store.answer()
  t.ok((await Promise.all(all)).every(({ allowed }) => allowed))
  await close
  t.ok(store.calls.some(([asked]) => asked!.batch?.want === 20), 'a batch was granted')
  t.equal(await unitsFree(store, of), before - 30)
})

t.test('a close ends when the store fails the question under way', async t => {
  const { store, one } = processes(1)
  store.held = []
  store.failure = new Error('away')
  const asked = take(one, leased(1_000))
  const close = one.close()
  store.answer()
  await t.rejects(asked, { message: 'away' })
  await close
})

t.test('what is granted to a key that was dropped meanwhile is given back', async t => {
  const { store, one } = processes(1)
  const of = leased(1_000)
  await warm(one, of, 10)
  one.clear()
  const before = await unitsFree(store, of)
  store.held = []
  const [asker, waiter] = [take(one, of), take(one, { ...of, cost: 50 })]
  const [answer] = store.held.splice(0)
  store.held = undefined
  for (let i = 0; i < 10_000; i++) await take(one, { ...of, subject: `flood ${i}` })
  answer!()
  t.match(await asker, { allowed: true })
  t.match(await waiter, { allowed: true })
  t.equal(store.calls.at(-1)![0]!.batch, undefined, 'nothing is leased of it any more')
  await new Promise(setImmediate)
  t.equal(await unitsFree(store, of), before - 51)
})

t.test('what the store may have lost is not spent', async t => {
  const { store, one } = processes(1)
  await warm(one, leased(1_000))
  const calls = store.calls.length
  one.clear()
  await take(one, leased(1_000))
  t.equal(store.calls.length, calls + 1)
})

t.test('ten thousand keys are leased at most; what is dropped is given back', async t => {
  const { store, one } = processes(1)
  const of = leased(1_000)
  await warm(one, of, 10)
  for (let i = 0; i < 10_000; i++) await take(one, { ...of, subject: `flood ${i}` })
  t.equal(await unitsFree(store, of), 990)
})
