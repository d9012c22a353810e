import { until } from '@respite/testing'
import type { Test } from 'tap'
import type { LimitStore } from '../../src/stores/store.ts'
import { admitted, algorithmNames, chargesOf, check, peek, rule, take, unitsFree } from '../rules.ts'

/** What every store of limits keeps to. @param fresh - an empty one, and with `again` another client of the same counts */
export function storeContract (t: Test, fresh: () => { store: LimitStore, again: () => LimitStore }): void {
  for (const algorithm of algorithmNames) {
    t.test(`${algorithm}: admits the limit and not one more, and says what is left`, async t => {
      const { store } = fresh()
      const five = check(rule(algorithm, 5))
      for (const remaining of [4, 3, 2, 1, 0]) t.match(await take(store, five), { allowed: true, outcomes: [{ remaining, waitMs: 0, by: 'store' }] })
      const { allowed, outcomes: [outcome] } = await take(store, five)
      t.equal(allowed, false)
      t.equal(outcome!.remaining, 0)
      t.ok(outcome!.waitMs > 0 && outcome!.waitMs <= 64_000, `${outcome!.waitMs} ms to wait`)
      t.ok(outcome!.resetMs >= outcome!.waitMs, `${outcome!.resetMs} ms until all is free`)
    })

    t.test(`${algorithm}: of many at once, over two clients, exactly the limit is admitted`, async t => {
      const { store, again } = fresh()
      const other = again()
      const seven = () => check(rule(algorithm, 7))
      const [a, b] = await Promise.all([admitted(store, 100, seven), admitted(other, 100, seven)])
      t.equal(a + b, 7)
    })

    t.test(`${algorithm}: a cost is charged whole or not at all`, async t => {
      const { store } = fresh()
      const ten = rule(algorithm, 10)
      t.match(await take(store, check(ten, 'x', 4)), { allowed: true, outcomes: [{ remaining: 6 }] })
      t.match(await take(store, check(ten, 'x', 7)), { allowed: false, outcomes: [{ remaining: 6 }] })
      t.match(await take(store, check(ten, 'x', 6)), { allowed: true, outcomes: [{ remaining: 0 }] })
    })

    t.test(`${algorithm}: headroom must be free beside the cost and is not charged; who has used nothing passes`, async t => {
      const { store } = fresh()
      const ten = (headroomTenths: number, cost = 1) => ({ ...check(rule(algorithm, 10), 'x', cost), headroomTenths })
      t.match(await take(store, ten(10, 4)), { allowed: true, outcomes: [{ remaining: 6 }] }, 'of an untouched limit')
      const { allowed, outcomes: [outcome] } = await take(store, ten(6))
      t.equal(allowed, false)
      t.equal(outcome!.remaining, 6, 'a refusal takes nothing')
      t.ok(outcome!.waitMs > 0 && outcome!.waitMs <= 64_000, `${outcome!.waitMs} ms to wait`)
      t.match(await take(store, ten(5)), { allowed: true, outcomes: [{ remaining: 5 }] })
      t.match(await take(store, ten(5)), { allowed: false, outcomes: [{ remaining: 5 }] })
      t.match(await take(store, ten(0, 5)), { allowed: true, outcomes: [{ remaining: 0 }] }, 'who asks for none has all of it: the rule is as it was')
      t.match(await take(store, ten(10, 11)), { allowed: false, outcomes: [{ waitMs: Infinity }] })
    })

    t.test(`${algorithm}: a cost above the limit is never admitted and never charged`, async t => {
      const { store } = fresh()
      const three = rule(algorithm, 3)
      t.match(await take(store, check(three, 'x', 4)), { allowed: false, outcomes: [{ remaining: 3, waitMs: Infinity }] })
      t.match(await take(store, check(three, 'x', 3)), { allowed: true })
    })

    t.test(`${algorithm}: a look charges nothing`, async t => {
      const { store } = fresh()
      const one = check(rule(algorithm, 1))
      for (let i = 0; i < 3; i++) t.match(await peek(store, one), { allowed: true, outcomes: [{ remaining: 1 }] })
      await take(store, one)
      const { allowed, outcomes } = await peek(store, one)
      t.equal(allowed, false)
      t.ok(outcomes[0]!.waitMs > 0)
    })

    t.test(`${algorithm}: what was charged can be taken back, and no more`, async t => {
      const { store } = fresh()
      const ten = rule(algorithm, 10)
      const first = [check(ten, 'x', 2)]
      const charges = chargesOf(first, await take(store, ...first))
      await take(store, check(ten, 'x', 8))
      await store.refund(charges)
      const { remaining } = (await peek(store, check(ten, 'x'))).outcomes[0]!
      // What has leaked of gcra since is not given back.
      t.ok(remaining === 2 || (algorithm === 'gcra' && remaining === 1), `${remaining} free`)
      await store.refund([{ ...check(ten, 'x', 5), atMs: charges[0]!.atMs - 3_600_000 }])
      t.ok(await unitsFree(store, check(ten, 'x')) <= 2, 'a charge of an hour ago is past')
    })

    t.test(`${algorithm}: a subject can be forgotten, and only that one`, async t => {
      const { store } = fresh()
      const one = rule(algorithm, 1)
      await take(store, check(one, 'a'))
      await take(store, check(one, 'b'))
      await store.reset(one, 'a')
      t.match(await take(store, check(one, 'a')), { allowed: true })
      t.match(await take(store, check(one, 'b')), { allowed: false })
    })
  }

  // gcra has an interval only from 1 on; of 0 it is refused at boot.
  for (const algorithm of algorithmNames.filter(name => name !== 'gcra')) {
    t.test(`${algorithm}: a limit of 0 refuses all, for ever`, async t => {
      const { store } = fresh()
      t.match(await take(store, check(rule(algorithm, 0))), { allowed: false, outcomes: [{ remaining: 0, waitMs: Infinity, resetMs: 0 }] })
    })
  }

  t.test('several limits are charged together or not at all, and those without room are named', async t => {
    const { store } = fresh()
    const all = algorithmNames.map((algorithm, i) => check(rule(algorithm, i === 2 ? 1 : 5)))
    t.match(await take(store, ...all), { allowed: true, outcomes: [{ remaining: 4 }, { remaining: 4 }, { remaining: 0 }, { remaining: 4 }] })
    const { allowed, outcomes } = await take(store, ...all)
    t.equal(allowed, false)
    t.same(outcomes.map(({ waitMs }) => waitMs > 0), [false, false, true, false])
    t.same(outcomes.slice(0, 2).map(({ remaining }) => remaining), [4, 4])
    t.same((await peek(store, ...all)).outcomes.slice(0, 2).map(({ remaining }) => remaining), [4, 4])
  })

  t.test('names and subjects of any characters are themselves', async t => {
    const { store } = fresh()
    const names = ['a:b', 'a', 'a:', '{x}', '}', '*', 'a\0', '', ' ', 'ä', '%2A', 'k'.repeat(65_536)]
    for (const name of names) {
      for (const subject of names) t.match(await take(store, check(rule('fixed-window', 1, { name }), subject)), { allowed: true }, `${name.slice(0, 5)} ${subject.slice(0, 5)}`)
    }
    t.match(await take(store, check(rule('fixed-window', 1, { name: '*' }), '*')), { allowed: false })
  })

  t.test('a limit of another algorithm begins anew', async t => {
    const { store } = fresh()
    for (const from of algorithmNames) {
      for (const to of algorithmNames.filter(name => name !== from)) {
        const subject = `${from} ${to}`
        await take(store, check(rule(from, 3, { name: 'n' }), subject, 3))
        t.match(await take(store, check(rule(to, 3, { name: 'n' }), subject, 3)), { allowed: true }, subject)
      }
    }
  })
}

/** What only shows as real time passes. */
export function passingContract (t: Test, fresh: () => { store: LimitStore }): void {
  for (const algorithm of algorithmNames) {
    t.test(`${algorithm}: a window of 250 ms ends`, async t => {
      const { store } = fresh()
      const two = check(rule(algorithm, 2, { windowMs: 250 }))
      await take(store, two)
      await take(store, two)
      t.match(await take(store, two), { allowed: false })
      await until('the window to end', async () => await unitsFree(store, two) === 2)
      t.match(await take(store, two), { allowed: true })
    })
  }
}
