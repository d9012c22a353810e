import type { Test } from 'tap'
import type { Batch } from '../../src/leases/batch.ts'
import type { Check, LimitStore } from '../../src/stores/store.ts'
import { chargesOf, check, peek, rule, take } from '../rules.ts'

const hour = { windowMs: 3_600_000 }
const asking = (of: Check, want: number, batch: Partial<Batch> = {}): Check => ({ ...of, batch: { want, nodes: 1, strictMs: 0, back: undefined, ...batch } })

/** What every store keeps to that limits are leased from. */
export function leaseContract (t: Test, fresh: () => { store: LimitStore }): void {
  const of = (algorithm: 'fixed-window' | 'gcra', limit: number) => check(rule(algorithm, limit, hour))
  for (const algorithm of ['fixed-window', 'gcra'] as const) {
    t.test(`${algorithm}: a batch is charged at once, and what was charged is told`, async t => {
      const { store } = fresh()
      const hundred = of(algorithm, 100)
      t.match(await take(store, asking(hundred, 30)), { allowed: true, outcomes: [{ granted: 30, remaining: 70, waitMs: 0 }] })
      t.match((await peek(store, hundred)).outcomes, [{ remaining: 70 }])
    })

    t.test(`${algorithm}: a batch is at most a process' share of half of what is free`, async t => {
      const { store } = fresh()
      const hundred = of(algorithm, 100)
      t.match(await take(store, asking(hundred, 1_000, { nodes: 5 })), { outcomes: [{ granted: 10 }] })
      t.match(await take(store, asking(hundred, 1_000, { nodes: 1 })), { outcomes: [{ granted: 45 }] })
      t.match(await take(store, asking({ ...hundred, cost: 40 }, 1_000)), { outcomes: [{ granted: 40, remaining: 5 }] }, 'a cost is charged whole')
    })

    t.test(`${algorithm}: where nothing more than the cost is to be had, the cost alone is charged`, async t => {
      const { store } = fresh()
      const three = of(algorithm, 3)
      for (const remaining of [2, 1, 0]) t.match(await take(store, asking(three, 9, { nodes: 2 })), { allowed: true, outcomes: [{ granted: 1, remaining }] })
      t.match(await take(store, asking(three, 9)), { allowed: false, outcomes: [{ granted: 0, remaining: 0 }] })
    })

    t.test(`${algorithm}: what is given back is there for the same question`, async t => {
      const { store } = fresh()
      const ten = of(algorithm, 10)
      const { outcomes: [first] } = await take(store, { ...ten, cost: 10 })
      const back = { units: 6, atMs: first!.atMs }
      const { allowed, outcomes: [outcome] } = await take(store, { ...asking(ten, 1, { back }), cost: 4 })
      t.equal(allowed, true)
      t.ok(outcome!.granted === 4 && (outcome!.remaining === 2 || (algorithm === 'gcra' && outcome!.remaining === 1)), `${outcome!.remaining} free`)
    })

    t.test(`${algorithm}: what was charged before a limit was forgotten is not given back to what counts now`, async t => {
      const { store } = fresh()
      const ten = of(algorithm, 10)
      const { outcomes: [first] } = await take(store, { ...ten, cost: 10 })
      await store.reset(ten.rule, ten.subject)
      await take(store, { ...ten, cost: 10 })
      const back = { units: 6, atMs: first!.atMs - 3_600_000 }
      t.match(await take(store, asking(ten, 1, { back })), { allowed: false, outcomes: [{ granted: 0 }] })
    })

    t.test(`${algorithm}: whoever is blocked is granted nothing, and gives nothing back`, async t => {
      const { store } = fresh()
      const ten = of(algorithm, 10)
      const { outcomes: [first] } = await take(store, { ...ten, cost: 10 })
      await store.block(ten.rule, ten.subject, 60_000)
      t.match(await take(store, asking(ten, 1, { back: { units: 6, atMs: first!.atMs } })), { allowed: false, outcomes: [{ granted: 0 }] })
      await store.block(ten.rule, ten.subject, 0)
      t.match((await peek(store, ten)).outcomes, [{ remaining: 0 }])
    })

    t.test(`${algorithm}: a whole batch can be taken back`, async t => {
      const { store } = fresh()
      const hundred = of(algorithm, 100)
      const verdict = await take(store, asking(hundred, 30))
      await store.refund(chargesOf([{ ...hundred, cost: 30 }], verdict))
      const { remaining } = (await peek(store, hundred)).outcomes[0]!
      t.ok(remaining === 100 || (algorithm === 'gcra' && remaining === 99), `${remaining} free`)
    })
  }

  t.test('gcra, strict: a lease is charged as if it were spent at its end, a single unit as always', async t => {
    const { store } = fresh()
    // One unit a minute, and a burst of 60.
    const limit = of('gcra', 60)
    t.match(await take(store, asking(limit, 10, { strictMs: 600_000 })), { outcomes: [{ granted: 10, remaining: 40 }] })
    const { store: other } = fresh()
    t.match(await take(other, asking(limit, 1, { strictMs: 600_000 })), { outcomes: [{ granted: 1, remaining: 59 }] })
    t.match(await take(other, asking(limit, 10, { strictMs: 3_600_000 })), { outcomes: [{ granted: 1, remaining: 58 }] }, 'no room for a lease: the cost alone')
  })

  t.test('leases and others of one question are charged together or not at all', async t => {
    const { store } = fresh()
    const [one, other] = [check(rule('fixed-window', 100, hour)), check(rule('gcra', 100, { ...hour, name: 'b' }))]
    const single = check(rule('sliding-log', 1, hour))
    t.match(await take(store, asking(one, 10), single, asking(other, 20)), { allowed: true, outcomes: [{ granted: 10 }, { granted: undefined }, { granted: 20 }] })
    t.match(await take(store, asking(one, 10), single, asking(other, 20)), { allowed: false, outcomes: [{ granted: 0, remaining: 90 }, {}, { granted: 0, remaining: 80 }] })
  })

  t.test('each of many questions is told of its own lease', async t => {
    const { store } = fresh()
    const of = (i: number) => check(rule('fixed-window', 100, { ...hour, name: `n${i}` }))
    const all = await Promise.all(Array.from({ length: 20 }, (_, i) => take(store, i % 3 === 0 ? of(i) : asking(of(i), 1 + i))))
    t.same(all.map(({ outcomes }) => outcomes[0]!.granted), Array.from({ length: 20 }, (_, i) => i % 3 === 0 ? undefined : 1 + i))
  })
}
