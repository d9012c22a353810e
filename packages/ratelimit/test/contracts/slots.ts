import { until } from '@respite/testing'
import type { Test } from 'tap'
import type { Check, LimitStore } from '../../src/stores/store.ts'
import { check, peek, rule, take, unitsFree } from '../rules.ts'

/** A check for a slot of its own. */
export type SlotOf = (subject?: string, cost?: number) => Check & { slot: number }

let last = 0

/** Makes checks of one concurrency limit. */
export function slotsOf (limit: number, { windowMs = 60_000, name = 'concurrency' } = {}): SlotOf {
  const of = rule('concurrency', limit, { windowMs, name })
  return (subject = 'somebody', cost = 1) => ({ ...check(of, subject, cost), slot: ++last })
}

const charge = (one: Check) => ({ ...one, atMs: 0 })

const freeSlots = (store: LimitStore, of: SlotOf, subject?: string) => unitsFree(store, of(subject))

/** What every store keeps to with limits of what is in flight. @param fresh - an empty one, and with `again` another client of the same counts */
export function slotContract (t: Test, fresh: () => { store: LimitStore, again: () => LimitStore }): void {
  t.test('concurrency: admits so many at once and not one more, whoever asks, and as one ends the next', async t => {
    const { store, again } = fresh()
    const other = again()
    const three = slotsOf(3)
    const all = Array.from({ length: 20 }, () => three())
    const verdicts = await Promise.all(all.map((one, i) => take(i % 2 === 0 ? store : other, one)))
    const held = all.filter((_, i) => verdicts[i]!.allowed)
    t.equal(held.length, 3)
    t.match(await take(store, three()), { allowed: false, outcomes: [{ remaining: 0, waitMs: 1_000, resetMs: 1_000, by: 'store' }] })
    await other.refund([charge(held[0]!)])
    t.match(await take(store, three()), { allowed: true, outcomes: [{ remaining: 0, waitMs: 0 }] })
    t.equal((await take(other, three())).allowed, false)
  })

  t.test('concurrency: a slot that is given back twice, or was never held, frees nobody else\'s', async t => {
    const { store } = fresh()
    const two = slotsOf(2)
    const [a, b] = [two(), two()]
    await take(store, a)
    await take(store, b)
    await Promise.all([store.refund([charge(a)]), store.refund([charge(a)]), store.refund([charge(two())])])
    t.equal(await freeSlots(store, two), 1)
    await store.refund([charge(b)])
    t.match(await peek(store, two()), { allowed: true, outcomes: [{ remaining: 2, resetMs: 0 }] })
  })

  t.test('concurrency: a cost takes so many units, whole or not at all, and gives them back', async t => {
    const { store } = fresh()
    const ten = slotsOf(10)
    const four = ten('x', 4)
    t.match(await take(store, four), { allowed: true, outcomes: [{ remaining: 6 }] })
    t.match(await take(store, ten('x', 7)), { allowed: false, outcomes: [{ remaining: 6 }] })
    t.match(await take(store, ten('x', 11)), { allowed: false, outcomes: [{ waitMs: Infinity }] })
    await store.refund([charge(four)])
    t.match(await take(store, ten('x', 10)), { allowed: true, outcomes: [{ remaining: 0 }] })
  })

  t.test('concurrency: decided with other limits: all are charged or none', async t => {
    const { store } = fresh()
    const two = slotsOf(2)
    const minute = rule('sliding-log', 3, { name: 'minute' })
    const first = two()
    t.match(await take(store, first, check(minute)), { allowed: true, outcomes: [{ remaining: 1 }, { remaining: 2 }] })
    t.match(await take(store, two(), check(minute)), { allowed: true })
    t.match(await take(store, two(), check(minute)), { allowed: false, outcomes: [{ remaining: 0, waitMs: 1_000 }, { remaining: 1, waitMs: 0 }] })
    await store.refund([charge(first)])
    t.match(await take(store, two(), check(minute)), { allowed: true, outcomes: [{ remaining: 0 }, { remaining: 0 }] })
    await store.reset(two().rule, 'somebody')
    t.match(await take(store, two(), check(minute)), { allowed: false, outcomes: [{ remaining: 2, waitMs: 0 }, { remaining: 0 }] })
    t.equal(await freeSlots(store, two), 2, 'no slot is held by whom the other has refused')
  })

  t.test('concurrency: renewing counts each slot once, and counts those that were lost again', async t => {
    const { store, again } = fresh()
    const three = slotsOf(3)
    const held = [three(), three('somebody', 2)]
    for (const one of held) await take(store, one)
    await again().renew(held)
    t.equal(await freeSlots(store, three), 0)
    await store.reset(three().rule, 'somebody')
    t.equal(await freeSlots(store, three), 3)
    await store.renew([...held, three('another')])
    t.same([await freeSlots(store, three), await freeSlots(store, three, 'another')], [0, 2])
    await store.refund(held.map(charge))
    t.equal(await freeSlots(store, three), 3)
  })

  t.test('concurrency: more slots than a script is asked for at once are renewed', async t => {
    const { store } = fresh()
    const hundred = slotsOf(1_000)
    await store.renew(Array.from({ length: 300 }, () => hundred()))
    t.equal(await freeSlots(store, hundred), 700)
  })

  t.test('concurrency: a look holds nothing, and a lowered limit keeps who is in flight', async t => {
    const { store } = fresh()
    const [five, two, none] = [slotsOf(5), slotsOf(2), slotsOf(0)]
    const held = Array.from({ length: 4 }, () => five())
    for (const one of held) await take(store, one)
    for (let i = 0; i < 3; i++) t.equal(await freeSlots(store, five), 1)
    t.match(await take(store, two()), { allowed: false, outcomes: [{ remaining: 0, waitMs: 1_000 }] })
    t.match(await take(store, none()), { allowed: false, outcomes: [{ remaining: 0, waitMs: Infinity }] })
    await store.refund(held.slice(0, 3).map(charge))
    t.match(await take(store, two()), { allowed: true, outcomes: [{ remaining: 0 }] })
  })
}

/** What only shows as real time passes. */
export function passingSlotContract (t: Test, fresh: () => { store: LimitStore }): void {
  t.test('concurrency: a slot that nobody renews is free after its expiry, one that is renewed is held', async t => {
    const { store } = fresh()
    const two = slotsOf(2, { windowMs: 600 })
    const [dead, alive] = [two(), two()]
    await take(store, dead)
    await take(store, alive)
    await until('the slot of the dead to end', async () => {
      await store.renew([alive])
      return await freeSlots(store, two) === 1
    })
    t.match(await take(store, two()), { allowed: true })
    await until('all to end', async () => await freeSlots(store, two) === 2)
  })
}
