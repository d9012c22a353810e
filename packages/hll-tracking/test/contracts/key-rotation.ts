import { seeded } from '@respite/testing'
import type { Test } from 'tap'
import { sizeMs } from '../../src/buckets.ts'
import { Identities } from '../../src/identity.ts'
import type { IdForm } from '../../src/identity-key.ts'
import type { TopCaller } from '../../src/top-callers.ts'
import { assemble, fakeClock, secret, start, storeParts } from '../assemble.ts'
import type { MakeStore } from './store.ts'

const earlier = 'the secret that was used before'

/** What becomes of counts when the key by which ids are keyed is another. */
export function keyRotationContract (t: Test, make: MakeStore): void {
  /** A process with the earlier key, and one with the present one, over one store. */
  const rotated = (capacity?: { total: number, bucket: number }, forms: [IdForm, IdForm] = ['encrypted', 'encrypted']) => {
    const clock = fakeClock()
    const parts = storeParts(clock, capacity)
    const store = make(parts)
    const process = (origin: string, identities: Identities) => assemble(store, parts, { origin, identities }).tracking
    return {
      clock,
      before: process('before', new Identities(earlier, forms[0])),
      after: process('after', new Identities(secret, forms[1], [earlier])),
      forgetful: process('forgetful', new Identities(secret, forms[1]))
    }
  }

  t.test('an id that was listed under the key before is shown still, and is one with its entry under the new key', async t => {
    const { before, after, forgetful } = rotated()
    for (const who of ['alice', 'bob', 'alice', 'alice', 'bob']) before.observe('ping', who)
    await before.flush()
    for (const who of ['carol', 'alice', 'alice']) after.observe('ping', who)
    const expected = [{ id: 'alice', count: 5, maxOver: 0 }, { id: 'bob', count: 2, maxOver: 0 }, { id: 'carol', count: 1, maxOver: 0 }]
    t.same(await after.top('ping'), expected)
    t.same(await after.top('ping', { since: '1h' }), expected)
    t.same(await after.top('ping', { k: 1 }), expected.slice(0, 1))
    t.match(await forgetful.top('ping', { k: 1 }), [{ id: /^unknown:/, count: 3 }], 'without the key before, its entries stand for themselves')
  })

  t.test('the first k are found also where each of their entries alone is not among them', async t => {
    const { before, after } = rotated()
    const observe = (tracking: typeof before, who: string, times: number) => { for (let i = 0; i < times; i++) tracking.observe('ping', who) }
    for (const [who, times] of [['both', 6], ['a', 8], ['b', 9]] as const) observe(before, who, times)
    await before.flush()
    for (const [who, times] of [['both', 6], ['c', 8], ['d', 9]] as const) observe(after, who, times)
    t.same(await after.top('ping', { k: 1 }), [{ id: 'both', count: 12, maxOver: 0 }])
  })

  t.test('ids that were listed as they are and are now encrypted are one, and the other way round', async t => {
    for (const forms of [['plain', 'encrypted'], ['encrypted', 'plain']] as [IdForm, IdForm][]) {
      const { before, after } = rotated(undefined, forms)
      before.observe('ping', 'alice')
      await before.flush()
      after.observe('ping', 'alice')
      t.same(await after.top('ping'), [{ id: 'alice', count: 2, maxOver: 0 }])
    }
  })

  t.test('in full lists of two keys no count is under the truth, nor over it by more than it says', async t => {
    const random = seeded(t)
    const { clock, before, after } = rotated({ total: 40, bucket: 16 })
    const truth = { all: new Map<string, number>(), today: new Map<string, number>() }
    const draw = () => `user:${Math.floor(Math.exp(random.word() / 2 ** 32 * Math.log(200)))}`
    // The day of the change has both keys, as where processes restart one after the other.
    for (let round = 0; round < 24; round++) {
      const today = round >= 8
      clock.nowMs = start - (today ? 0 : sizeMs.day)
      const tracking = round < 14 && (round < 10 || round % 2 === 0) ? before : after
      for (let i = 0; i < 60; i++) {
        const id = draw()
        tracking.observe('ping', id)
        for (const counts of today ? [truth.all, truth.today] : [truth.all]) counts.set(id, (counts.get(id) ?? 0) + 1)
      }
      await tracking.flush()
    }
    const wrong = (callers: TopCaller[], counts: Map<string, number>) => callers.filter(({ id, count, maxOver }) => {
      const calls = counts.get(id) ?? 0
      return count < calls || count - maxOver > calls
    })
    for (const [options, counts] of [[{}, truth.all], [{ since: '36h' }, truth.all], [{ since: '12h' }, truth.today]] as const) {
      const callers = await after.top('ping', { k: 200, ...options })
      t.ok(callers.length >= 8)
      t.same(wrong(callers, counts), [])
      t.same(callers.filter(({ id }) => id.startsWith('unknown')), [])
    }
  })

  t.test('a window under one key is counted as ever; one that spans the change says between what and what', async t => {
    const { clock, before, after, forgetful } = rotated()
    clock.nowMs = start - sizeMs.day
    for (const who of ['a', 'b', 'c']) before.observe('ping', who)
    await before.flush()
    clock.nowMs = start
    for (const who of ['c', 'd']) after.observe('ping', who)
    await after.flush()
    const { from, to, ...count } = await after.unique('ping').count({ since: '36h' })
    t.same(count, { value: 4, low: 3, high: 5, confidence: 0.95, exact: false, spansKeys: true }, 'the truth is 4')
    t.ok(from < to)
    const today = await after.unique('ping').count({ since: '12h' })
    t.match(today, { value: 2, low: 2, high: 2, exact: true })
    t.notOk('spansKeys' in today)
    const days = await after.unique('ping').series({ by: 'day', since: '36h' })
    t.same(days.map(({ value, exact }) => [value, exact]), [[3, true], [2, true]], 'at the change of a day every day is whole')
    t.match(await after.active(), { dau: { value: 2, exact: true }, wau: { low: 3, high: 5, spansKeys: true }, mau: { low: 3, high: 5 }, stickiness: 0.5 })
    t.match(await forgetful.unique('ping').count(), { value: 2, exact: true }, 'who has not the key before counts what the new one has')
  })

  t.test('of many callers the interval holds the truth, whether all came again or none', async t => {
    for (const [shift, truth] of [[0, 1_000], [1_000, 2_000], [500, 1_500]] as const) {
      const { before, after } = rotated()
      for (let i = 0; i < 1_000; i++) {
        before.observe('ping', `user:${i}`)
        after.observe('ping', `user:${i + shift}`)
      }
      await before.flush()
      const { low, value, high, exact } = await after.unique('ping').count()
      t.notOk(exact)
      t.ok(low <= truth && truth <= high && low <= value && value <= high, `${truth} of ${low} to ${high}, said ${value}`)
      t.ok(low > 950 && high < 2_100, 'and it is no wider than it must')
    }
  })
}
