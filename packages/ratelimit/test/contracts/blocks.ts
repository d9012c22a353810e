import { until } from '@respite/testing'
import type { Test } from 'tap'
import type { LimitStore } from '../../src/stores/store.ts'
import { algorithmNames, chargesOf, check, peek, rule, take } from '../rules.ts'
import { slotsOf } from './slots.ts'

/** How every store bears that a subject is blocked. @param fresh - an empty one, and with `again` another client of the same counts */
export function blockContract (t: Test, fresh: () => { store: LimitStore, again: () => LimitStore }): void {
  for (const algorithm of algorithmNames) {
    t.test(`${algorithm}: who is blocked is refused until the block ends, whoever else is not, and what was counted stays`, async t => {
      const { store, again } = fresh()
      const five = rule(algorithm, 5)
      await take(store, check(five, 'a', 3))
      await again().block(five, 'a', 3_600_000)
      const { allowed, outcomes: [outcome] } = await take(store, check(five, 'a'))
      t.equal(allowed, false)
      t.ok(outcome!.remaining === 0 && outcome!.waitMs > 3_500_000 && outcome!.waitMs <= 3_600_000 && outcome!.resetMs === outcome!.waitMs, JSON.stringify(outcome))
      t.match(await peek(store, check(five, 'a', 6)), { allowed: false, outcomes: [{ waitMs: Infinity }] })
      t.match(await take(store, check(five, 'b')), { allowed: true }, 'of another subject')
      t.match(await take(store, check(rule(algorithm, 5, { name: 'other' }), 'a')), { allowed: true }, 'of another limit')
      await store.block(five, 'a', 0)
      t.match(await peek(store, check(five, 'a', 3)), { allowed: false })
      t.match(await take(store, check(five, 'a', 2)), { allowed: true })
    })

    t.test(`${algorithm}: a block that ends leaves what was counted`, async t => {
      const { store } = fresh()
      const five = rule(algorithm, 5, { windowMs: 3_600_000 })
      await take(store, check(five, 'a', 4))
      await store.block(five, 'a', 150)
      t.match(await take(store, check(five, 'a')), { allowed: false })
      await until('the block to end', async () => (await peek(store, check(five, 'a'))).allowed)
      t.match(await take(store, check(five, 'a', 2)), { allowed: false, outcomes: [{ remaining: 1 }] })
      t.match(await take(store, check(five, 'a')), { allowed: true })
    })
  }

  t.test('a block is prolonged and shortened by the next, and ends with a reset; to end none does nothing', async t => {
    const { store } = fresh()
    const one = rule('gcra', 5)
    const waitMs = async () => (await peek(store, check(one))).outcomes[0]!.waitMs
    await store.block(one, 'somebody', 0)
    t.match(await peek(store, check(one)), { allowed: true, outcomes: [{ remaining: 5 }] })
    for (const ms of [60_000, 3_600_000, 60_000]) {
      await store.block(one, 'somebody', ms)
      const wait = await waitMs()
      t.ok(wait > ms - 50_000 && wait <= ms, `${wait} of ${ms}`)
    }
    await store.reset(one, 'somebody')
    t.equal(await waitMs(), 0)
  })

  t.test('a block refuses with the other limits of a request: none is charged, and nothing is given back to who is blocked', async t => {
    const { store } = fresh()
    const [two, ten] = [slotsOf(2), rule('sliding-log', 10)]
    const held = two()
    const checks = [held, check(ten)]
    const charges = chargesOf(checks, await take(store, ...checks))
    await store.block(held.rule, 'somebody', 3_600_000)
    t.match(await take(store, two(), check(ten)), { allowed: false, outcomes: [{ remaining: 0 }, { remaining: 9, waitMs: 0 }] })
    await store.renew([held])
    t.match(await peek(store, two()), { allowed: false }, 'a renewal ends no block')
    await store.refund(charges)
    t.match(await peek(store, two()), { allowed: false })
    t.match(await peek(store, check(ten)), { outcomes: [{ remaining: 10 }] })
  })
}
