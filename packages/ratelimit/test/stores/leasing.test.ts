import { systemClock } from '@respite/redis'
import t from 'tap'
import type { LeasingParts } from '../../src/leases/leased-question.ts'
import type { LeaseRule } from '../../src/leases/lease-options.ts'
import { LeasingStore } from '../../src/stores/leasing.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { RememberingStore } from '../../src/stores/remembering.ts'
import type { Check, VerdictCallback } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { storeContract } from '../contracts/store.ts'
import { check, peek, rule, take } from '../rules.ts'

const lease: LeaseRule = { lifetimeMs: 2_000, strict: false }
const hour = { windowMs: 3_600_000 }
const leased = (limit: number, { algorithm = 'fixed-window', name = 'n', cost = 1 }: { algorithm?: 'fixed-window' | 'gcra', name?: string, cost?: number } = {}): Check =>
  ({ ...check(rule(algorithm, limit, { ...hour, name }), 's', cost), lease })

/** A store that answers when the test says so, as Redis does. */
class SlowStore extends MemoryStore {
  calls: Check[][] = []
  held: (() => void)[] | undefined
  failure: Error | undefined

  override take (checks: readonly Check[], callback: VerdictCallback): void {
    this.calls.push([...checks])
    const { failure } = this
    const answer = () => failure === undefined ? super.take(checks, callback) : callback(failure)
    if (this.held === undefined) answer()
    else this.held.push(answer)
  }

  /** Answers what was asked so far. */
  answer (): void {
    for (const one of this.held!.splice(0)) one()
  }
}

/** Processes over one store, under one clock. */
function processes (count: number) {
  const clock = fakeClock()
  const store = new SlowStore({ clock, maxKeys: 20_000 })
  const told: unknown[] = []
  const counted: Record<string, number> = { granted: 0, spent: 0, returned: 0, answers: 0 }
  const meters: LeasingParts['meters'] = {
    count: (_, event, units) => {
      counted[event]! += units
      if (event === 'spent') counted.answers!++
    }
  }
  const nodes = Array.from({ length: count }, () => {
    const remembering = new RememberingStore(store, { clock, reachable: () => true, tell: freed => told.push(...freed) })
    return new LeasingStore({ store: remembering, clock, meters, instances: () => count })
  })
  return { clock, store, told, counted, nodes, one: nodes[0]!, other: nodes[1]! }
}

/** Asks often enough that a lease is worth it. */
async function warm (node: LeasingStore, of: Check, times = 4): Promise<void> {
  for (let i = 0; i < times; i++) await take(node, of)
}

t.test('in front of memory it answers as a store does', async t => storeContract(t, () => {
  const store = new MemoryStore({ clock: systemClock, maxKeys: 10_000 })
  const remembering = () => new RememberingStore(store, { clock: systemClock, reachable: () => true, tell: () => {} })
  const leasing = () => new LeasingStore({ store: remembering(), clock: systemClock, meters: { count: () => {} }, instances: () => 2 })
  return { store: leasing(), again: leasing }
}))

t.test('who comes often is answered without a question, and never more than the limit', async t => {
  const { clock, store, nodes } = processes(4)
  const of = leased(1_000)
  let admitted = 0
  for (let i = 0; i < 3_000; i++) {
    clock.nowMs += 10
    if ((await take(nodes[i % 4]!, of)).allowed) admitted++
  }
  t.equal(admitted, 1_000)
  t.ok(store.calls.length < 200, `${store.calls.length} questions`)
})

t.test('who comes seldom leases nothing', async t => {
  const { clock, store, one } = processes(1)
  for (let i = 0; i < 5; i++) {
    await take(one, leased(100))
    clock.nowMs += 60_000
  }
  t.same(store.calls.map(([asked]) => asked!.batch!.want), [1, 1, 1, 1, 1])
  t.match(await peek(store, leased(100)), { outcomes: [{ remaining: 95 }] })
})

t.test('callers at once wait for one question; who finds nothing left asks for itself', async t => {
  const { store, one } = processes(1)
  store.held = []
  const all = Array.from({ length: 50 }, () => take(one, leased(1_000)))
  t.equal(store.calls.length, 1)
  store.answer()
  t.equal(store.calls.length, 50, 'the first took nothing for the others')
  store.answer()
  t.equal((await Promise.all(all)).filter(({ allowed }) => allowed).length, 50)
  const more = Array.from({ length: 30 }, () => take(one, leased(1_000)))
  t.ok(store.calls.length <= 51)
  store.answer()
  t.equal((await Promise.all(more)).filter(({ allowed }) => allowed).length, 30)
})

t.test('what is not spent in its lifetime is given back by the next question', async t => {
  const { clock, store, one } = processes(1)
  await warm(one, leased(1_000))
  clock.nowMs += 10_000
  await take(one, leased(1_000))
  const spent = 5
  const { remaining } = (await peek(one, leased(1_000))).outcomes[0]!
  t.equal(remaining, 1_000 - spent, 'with what is held here')
  t.ok(store.calls.at(-1)![0]!.batch!.back!.units > 0)
})

t.test('of a key that nobody asks for any more it is given back a lifetime later, and others are told', async t => {
  const { clock, store, told, one, other } = processes(2)
  await warm(one, leased(100), 20)
  while ((await take(other, leased(100))).allowed);
  clock.nowMs += 3_999
  await one.sweep()
  t.match((await peek(store, leased(100))).outcomes, [{ remaining: 0 }], 'a question may still come')
  told.length = 0
  clock.nowMs += 1
  await one.sweep()
  const { remaining } = (await peek(store, leased(100))).outcomes[0]!
  t.ok(remaining > 0)
  t.same(told, [['n', 's']])
  await one.sweep()
  await one.close()
  t.match((await peek(store, leased(100))).outcomes, [{ remaining }], 'once')
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
  t.match(await peek(one, leased(1_000)), { outcomes: [{ remaining: 995 }] })
})

t.test('all or none: what was spent for a question that others refuse is put back', async t => {
  const { store, one } = processes(1)
  const tight = check(rule('sliding-log', 1, hour))
  await warm(one, leased(1_000))
  t.match(await take(one, leased(1_000), tight), { allowed: true })
  const before = (await peek(one, leased(1_000))).outcomes[0]!.remaining
  for (let i = 0; i < 9; i++) t.match(await take(one, leased(1_000), tight), { allowed: false, outcomes: [{ waitMs: 0 }, { remaining: 0 }] })
  t.equal((await peek(one, leased(1_000))).outcomes[0]!.remaining, before)
  t.match((await peek(store, tight)).outcomes, [{ remaining: 0 }])
})

t.test('two leases of one question are spent together or not at all', async t => {
  const { one } = processes(1)
  const [wide, small] = [leased(1_000), leased(10, { name: 'small' })]
  let admitted = 0
  for (let i = 0; i < 40; i++) if ((await take(one, wide, small)).allowed) admitted++
  t.equal(admitted, 10)
  t.equal((await peek(one, wide)).outcomes[0]!.remaining, 990)
})

t.test('a charge of a lease is given back to it, without a call', async t => {
  const { store, one } = processes(1)
  const of = leased(1_000)
  await warm(one, of)
  const left = () => peek(one, of).then(({ outcomes }) => outcomes[0]!.remaining)
  const verdict = await take(one, of)
  const before = await left()
  const inStore = (await peek(store, of)).outcomes[0]!.remaining
  await one.refund([{ ...of, atMs: verdict.outcomes[0]!.atMs }])
  t.equal(await left(), before + 1)
  t.equal((await peek(store, of)).outcomes[0]!.remaining, inStore)
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
    const unspent = (await peek(one, leased(1_000, { algorithm }))).outcomes[0]!.remaining - (await peek(store, leased(1_000, { algorithm }))).outcomes[0]!.remaining
    t.ok(unspent > 0)
    await take(one, leased(500, { algorithm }))
    const { remaining } = (await peek(one, leased(500, { algorithm }))).outcomes[0]!
    if (algorithm === 'fixed-window') t.equal(remaining, 500 - 11)
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
  let admitted = 0
  for (let i = 0; i < 40; i++) if ((await take(one, now)).allowed) admitted++
  t.equal(admitted, 0, 'more than the new limit is charged')
})

t.test('close gives everything back, and nothing is spent after it', async t => {
  const { store, one, other } = processes(2)
  for (const name of ['a', 'b']) await warm(one, leased(1_000, { name }), 10)
  await one.close()
  for (const name of ['a', 'b']) t.match((await peek(store, leased(1_000, { name }))).outcomes, [{ remaining: 990 }])
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
  const before = (await peek(store, of)).outcomes[0]!.remaining
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
  t.match((await peek(store, of)).outcomes, [{ remaining: before - 30 }])
})

t.test('what was granted is spent or returned; each answer without a question is counted', async t => {
  const { clock, store, counted, one } = processes(1)
  const of = leased(1_000)
  const dear = { ...of, cost: 3 }
  const tight = check(rule('sliding-log', 1, hour))
  await warm(one, of, 10)
  for (let i = 0; i < 20; i++) await take(one, i % 2 === 0 ? of : dear)
  clock.nowMs += 3_000
  await take(one, of)
  await take(one, of)
  await take(one, tight)
  const before = { ...counted }
  t.match(await take(one, of, tight), { allowed: false })
  t.same(counted, before, 'what a refused question has spent is put back')
  await one.close()
  t.equal(counted.granted, counted.spent! + counted.returned!)
  t.equal(counted.answers, 34 - store.calls.length)
  t.ok(counted.returned! > before.returned! && before.returned! > 0 && counted.spent! > counted.answers!)
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
  const before = (await peek(store, of)).outcomes[0]!.remaining
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
  t.match((await peek(store, of)).outcomes, [{ remaining: before - 51 }])
})

for (const algorithm of ['fixed-window', 'gcra'] as const) {
  t.test(`${algorithm}: headroom is kept of what is leased too`, async t => {
    const { store, one } = processes(1)
    const of = leased(100, { algorithm })
    const busy = (): Check => ({ ...of, headroomTenths: 5 })
    await warm(one, of, 20)
    let admitted = 0
    for (let i = 0; i < 60; i++) {
      const { allowed } = await take(one, busy())
      if (!allowed) break
      admitted++
      if (admitted > 28) t.equal((await peek(one, busy())).allowed, admitted < 30, `after ${admitted}`)
      if (admitted === 35) break
    }
    t.equal(admitted, 30, 'as many as without a lease')
    t.ok(store.calls.length < 40, `${store.calls.length} questions`)
    t.match(await take(one, of), { allowed: true }, 'when the load is gone all of it is there')
  })
}

t.test('who asks for more than is held sees it beside what is free', async t => {
  const { one } = processes(1)
  await warm(one, leased(20), 4)
  const dear = leased(20, { cost: 16 })
  t.match(await peek(one, dear), { allowed: true })
  t.match(await take(one, dear), { allowed: true })
})

t.test('what the store may have lost is not spent', async t => {
  const { store, one } = processes(1)
  await warm(one, leased(1_000))
  const calls = store.calls.length
  one.clear()
  await take(one, leased(1_000))
  t.equal(store.calls.length, calls + 1)
})

t.test('while the store is away all who wait are told, and what is held is spent', async t => {
  const { store, one } = processes(1)
  await warm(one, leased(1_000))
  store.failure = new Error('away')
  t.match(await take(one, leased(1_000)), { allowed: true })
  store.held = []
  const away = Array.from({ length: 3 }, () => take(one, leased(1_000, { name: 'new' })))
  store.answer()
  for (const each of away) await t.rejects(each, { message: 'away' })
  t.equal(store.calls.filter(([asked]) => asked!.rule.name === 'new').length, 1)
})

t.test('an answer that is older than its lifetime admits nobody: the cost alone is asked for again', async t => {
  const { clock, store, one } = processes(1)
  await warm(one, leased(1_000, { cost: 10 }), 1)
  store.held = []
  const late = take(one, leased(1_000))
  clock.nowMs += 2_000
  store.answer()
  t.equal(store.calls.at(-1)![0]!.batch, undefined)
  store.answer()
  t.match(await late, { allowed: true })
})

t.test('when permits are given back that others were refused for, they are told', async t => {
  const { clock, told, one, other } = processes(2)
  const of = leased(100)
  await warm(one, of, 20)
  while ((await take(other, of)).allowed);
  clock.nowMs += 3_000
  await take(one, of)
  t.same(told.at(-1), ['n', 's'])
})

t.test('ten thousand keys are leased at most; what is dropped is given back', async t => {
  const { store, one } = processes(1)
  const of = leased(1_000)
  await warm(one, of, 10)
  for (let i = 0; i < 10_000; i++) await take(one, { ...of, subject: `flood ${i}` })
  t.match((await peek(store, of)).outcomes, [{ remaining: 990 }])
})
