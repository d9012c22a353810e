import type { Test } from 'tap'
import type { BanRule } from '../../src/algorithms/ban.ts'
import type { Check, LimitStore } from '../../src/stores/store.ts'
import { check, peek, rule, take } from '../rules.ts'

const ban: BanRule = { after: 3, windowMs: 60_000, forMs: 10_000, factor: 2, maxMs: 60_000 }

/** How every store bans. @param fresh - an empty one, and with `again` another client of the same counts */
export function banContract (t: Test, fresh: () => { store: LimitStore, again: () => LimitStore }): void {
  const banning = (more: Partial<BanRule> = {}, limit = rule('fixed-window', 1)): Check => ({ ...check(limit), ban: { ...ban, ...more } })

  t.test('ban: the n-th refusal begins it, in every client, and while it lasts nothing is admitted and nothing counted', async t => {
    const { store, again } = fresh()
    const one = banning()
    t.match(await take(store, one), { allowed: true, outcomes: [{ ban: { times: 0, waitMs: 0, begunMs: 0 } }] })
    for (const client of [store, again()]) t.match(await take(client, one), { allowed: false, outcomes: [{ ban: { times: 0, begunMs: 0 } }] })
    t.match(await take(store, one), { allowed: false, outcomes: [{ remaining: 0, ban: { times: 1, begunMs: 10_000, waitMs: 10_000 } }] })
    for (let i = 0; i < 5; i++) {
      const { allowed, outcomes: [outcome] } = await take(again(), one)
      t.match({ allowed, ban: outcome!.ban }, { allowed: false, ban: { times: 1, begunMs: 0 } })
      t.ok(outcome!.ban!.waitMs > 0 && outcome!.ban!.waitMs <= 10_000)
      t.ok(outcome!.waitMs >= outcome!.ban!.waitMs)
    }
    t.match(await take(store, { ...one, subject: 'another' }), { allowed: true })
  })

  t.test('ban: it also holds where the limit itself has room again, and ends with reset', async t => {
    const { store } = fresh()
    const short = banning({ after: 1 }, rule('fixed-window', 1, { windowMs: 1 }))
    const seven = { ...short, cost: 7 }
    t.match(await take(store, seven), { allowed: false, outcomes: [{ ban: { begunMs: 10_000 } }] })
    t.match(await take(store, short), { allowed: false, outcomes: [{ remaining: 0 }] })
    t.match(await peek(store, short), { allowed: false })
    await store.reset(short.rule, short.subject)
    t.match(await take(store, short), { allowed: true })
  })

  t.test('ban: a look, and the refusal of another limit, are no strike; the refusal of a ban charges no other', async t => {
    const { store } = fresh()
    const one = banning({ after: 1 })
    const other = check(rule('gcra', 5, { name: 'other' }))
    const none = check(rule('fixed-window', 0, { name: 'none' }))
    for (let i = 0; i < 3; i++) t.match(await take(store, one, none), { allowed: false, outcomes: [{ ban: { times: 0, begunMs: 0 } }, {}] })
    await take(store, one)
    t.match(await peek(store, one), { allowed: false, outcomes: [{ ban: { times: 0 } }] })
    t.match(await take(store, other, one), { allowed: false, outcomes: [{ remaining: 5 }, { ban: { begunMs: 10_000 } }] })
    t.match(await take(store, other, one, other), { allowed: false, outcomes: [{ remaining: 5 }, { ban: { times: 1, begunMs: 0 } }, { remaining: 5 }] })
  })
}
