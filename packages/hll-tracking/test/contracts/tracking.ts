import type { Test } from 'tap'
import { sizeMs } from '../../src/buckets.ts'
import { assemble, fakeClock, start, storeParts } from '../assemble.ts'
import type { MakeStore } from './store.ts'

/** What `fastify.tracking` does, whatever its store is. */
export function trackingContract (t: Test, make: MakeStore): void {
  const fresh = () => {
    const clock = fakeClock()
    const parts = storeParts(clock)
    const store = make(parts)
    return { clock, store, parts, ...assemble(store, parts) }
  }

  t.test('counts unique callers, top callers and calls of what was observed just before', async t => {
    const { tracking } = fresh()
    for (const who of ['alice', 'bob', 'alice', 'carol', 'alice', 'bob', 7]) tracking.observe('ping', who)
    const { from, to, ...count } = await tracking.unique('ping').count()
    t.same(count, { value: 4, low: 4, high: 4, confidence: 0.95, exact: true })
    t.equal(to.getTime(), start)
    t.equal(from.toISOString(), '2025-04-05T00:00:00.000Z')
    t.same((await tracking.top('ping', { k: 2 })), [{ id: 'alice', count: 3, maxOver: 0 }, { id: 'bob', count: 2, maxOver: 0 }])
    t.equal(await tracking.calls('ping'), 7)
    t.same(await tracking.top('nothing'), [])
    t.equal(await tracking.calls('nothing', { since: '1h' }), 0)
  })

  // Seen: two halves of surrogate pairs, as a JSON body may hold them, were one member twice in a batch, and the last count won.
  t.test('ids that are the same bytes when they are stored are one id: no count falls under the truth', async t => {
    const { tracking } = fresh()
    for (const who of ['\uD800', '\uD800', '\uD800', '\uD801', '\uFFFD']) tracking.observe('ping', who)
    t.equal(tracking.buffered, 1)
    t.same(await tracking.top('ping'), [{ id: '\uFFFD', count: 5, maxOver: 0 }])
    t.equal(await tracking.calls('ping'), 5)
    await tracking.erase('\uD801')
    t.same(await tracking.top('ping'), [])
  })

  t.test('a window counts what happened in it', async t => {
    const { clock, tracking } = fresh()
    for (const [agoMs, who] of [[30 * sizeMs.day, 'old'], [5 * sizeMs.hour, 'noon'], [30 * sizeMs.minute, 'late'], [30 * sizeMs.minute, 'late'], [0, 'now']] as const) {
      clock.nowMs = start - agoMs
      tracking.observe('ping', who)
      await tracking.flush()
    }
    const unique = async (since: '1m' | '1h' | '6h' | '7d' | '31d') => (await tracking.unique('ping').count({ since })).value
    t.same([await unique('1m'), await unique('1h'), await unique('6h'), await unique('7d'), await unique('31d')], [1, 2, 3, 3, 4])
    t.equal(await tracking.calls('ping', { since: '1h' }), 3)
    t.same(await tracking.top('ping', { since: '1h', k: 1 }), [{ id: 'late', count: 2, maxOver: 0 }])
    t.equal((await tracking.top('ping')).length, 4)
  })

  // Seen: in the first millisecond of a minute its own events were not counted, and at midnight `active` refused its own window.
  t.test('a question in the first millisecond of a minute, hour and day counts what was observed in it', async t => {
    const { clock, tracking } = fresh()
    clock.nowMs = Date.UTC(2026, 4, 11)
    tracking.observe('ping', 'alice')
    t.equal((await tracking.unique('ping').count({ since: '1m' })).value, 1)
    t.equal(await tracking.calls('ping', { since: '1h' }), 1)
    t.match(await tracking.active(), { dau: { value: 1 }, mau: { value: 1 }, stickiness: 1 })
    for (const by of ['minute', 'hour', 'day'] as const) t.equal((await tracking.unique('ping').series({ by })).at(-1)!.value, 1, by)
    clock.nowMs -= 1
    t.match(await tracking.active(), { dau: { value: 0 } }, 'and by a clock that went back a millisecond, nothing')
  })

  t.test('C3: an event at midnight is in one day, and a late flush counts in the event\'s own time', async t => {
    const { clock, tracking } = fresh()
    const midnight = Date.UTC(2026, 4, 10)
    const between = async (since: number, until: number) => (await tracking.unique('ping').count({ since: new Date(since), until: new Date(until) })).value
    clock.nowMs = midnight - 1
    tracking.observe('ping', 'before')
    clock.nowMs = midnight
    tracking.observe('ping', 'after')
    clock.nowMs = midnight + 10 * sizeMs.minute
    await tracking.flush()
    clock.nowMs = midnight + 2 * sizeMs.day
    t.equal(await between(midnight - sizeMs.day, midnight), 1)
    t.equal(await between(midnight, midnight + sizeMs.day), 1)
    t.equal(await between(midnight - sizeMs.day, midnight + sizeMs.day), 2)
  })

  t.test('those who are active are counted once over all metrics, by UTC days', async t => {
    const { clock, tracking } = fresh()
    t.match(await tracking.active(), { dau: { value: 0, exact: true }, mau: { value: 0 }, stickiness: 0 })
    for (const [daysAgo, metric, who] of [[0, 'ping', 'a'], [0, 'pong', 'a'], [0, 'pong', 'b'], [6, 'ping', 'c'], [7, 'ping', 'd'], [29, 'pong', 'e'], [30, 'ping', 'f']] as const) {
      clock.nowMs = start - daysAgo * sizeMs.day
      tracking.observe(metric, who)
      await tracking.flush()
    }
    clock.nowMs = start
    const { dau, wau, mau, stickiness } = await tracking.active()
    t.same([dau, wau, mau].map(({ value, exact, from }) => [value, exact, from.toISOString().slice(0, 10)]), [[2, true, '2026-05-10'], [3, true, '2026-05-04'], [5, true, '2026-04-11']])
    t.equal(stickiness, 2 / 5)
    t.equal((await tracking.active({ metrics: ['pong'] })).mau.value, 3)
  })

  t.test('C4: two processes that see the same callers count them once, and all their calls', async t => {
    const { store, parts, tracking } = fresh()
    const { tracking: other } = assemble(store, parts, { origin: 'there' })
    for (const who of ['a', 'b', 'c']) {
      tracking.observe('ping', who)
      other.observe('ping', who)
    }
    await other.flush()
    t.equal((await tracking.unique('ping').count()).value, 3)
    t.equal(await tracking.calls('ping'), 6)
    t.same((await tracking.top('ping')).map(({ count }) => count), [2, 2, 2])
  })

  t.test('more callers than one script takes are counted whole', async t => {
    const { tracking, seen } = fresh()
    for (let i = 0; i < 2_600; i++) tracking.observe('ping', `user:${i % 1_300}`)
    t.equal(await tracking.calls('ping'), 2_600)
    const { value, low, high, exact } = await tracking.unique('ping').count()
    t.notOk(exact)
    t.ok(low <= 1_300 && high >= 1_300 && low < value && value < high, `${low} to ${high}`)
    t.equal(seen.events, 2_600)
  })
}
