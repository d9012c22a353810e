import t from 'tap'
import { Demand } from '../../src/leases/demand.ts'
import { Lease } from '../../src/leases/lease.ts'
import { momentOf } from '../../src/leases/moment.ts'
import type { AlgorithmName } from '../../src/rule.ts'
import type { Outcome } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { check, rule } from '../rules.ts'

const lifetimeMs = 2_000
const driftMs = 3
const outcome = (given: Partial<Outcome> = {}): Outcome => ({ remaining: 50, waitMs: 0, resetMs: 60_000, atMs: 1_000_000, by: 'store', granted: 10, ...given })

/** A lease that was asked for, so that the answer to a question of now can be held. */
function asked (algorithm: AlgorithmName = 'gcra', { strict = false } = {}) {
  const clock = fakeClock()
  const one = check(rule(algorithm, 100))
  const lease = new Lease({ lifetimeMs, strict }, one, clock.nowMs)
  const sent = momentOf(clock)
  lease.ask(1)
  return { clock, one, lease, now: () => momentOf(clock), hold: (told = outcome()) => lease.hold(one, told, { sent, now: momentOf(clock) }) }
}

t.test('what is held is spent unit by unit, and what remains counts down', async t => {
  const { lease, now, hold } = asked()
  t.match(hold(), { remaining: 59, waitMs: 0, by: 'store', atMs: 1_000_000 })
  for (let left = 8; left >= 0; left--) t.match(lease.spend(1, now()), { remaining: 50 + left })
  t.equal(lease.has(1, now()), false)
})

t.test('a lifetime counts from the sending, and ends by what clocks may differ earlier', async t => {
  const { clock, lease, now, hold } = asked()
  clock.nowMs += 1_500
  hold()
  clock.nowMs += lifetimeMs - driftMs - 1_500 - 0.01
  t.equal(lease.has(1, now()), true)
  clock.nowMs += 0.02
  t.equal(lease.has(1, now()), false)
  t.equal(lease.left(now()), 0)
})

t.test('of a fixed window it ends with the window', async t => {
  const { clock, lease, now, hold } = asked('fixed-window')
  hold(outcome({ resetMs: 500 }))
  clock.nowMs += 500 - driftMs - 0.01
  t.equal(lease.has(1, now()), true)
  clock.nowMs += 0.02
  t.equal(lease.has(1, now()), false)
})

t.test('an answer that comes after its lifetime is held by nobody', async t => {
  const { clock, lease, now, hold } = asked()
  clock.nowMs += lifetimeMs
  t.equal(hold(), undefined)
  t.equal(lease.takeBack(), undefined, 'and not given back')
  t.equal(lease.has(1, now()), false)
})

t.test('a machine that was suspended spends nothing: the later of both clocks counts', async t => {
  const clock = fakeClock()
  let sleptMs = 0
  const both = () => ({ monotonicMs: clock.nowMs, wallMs: clock.nowMs + sleptMs })
  const one = check(rule('gcra', 100))
  const lease = new Lease({ lifetimeMs, strict: false }, one, clock.nowMs)
  const sent = both()
  lease.ask(1)
  lease.hold(one, outcome(), { sent, now: both() })
  t.equal(lease.has(1, both()), true)
  sleptMs = 10_000
  t.equal(lease.has(1, both()), false)
})

t.test('what is left goes with the next question, once', async t => {
  const { clock, lease, hold } = asked()
  hold()
  lease.answered()
  clock.nowMs += 10_000
  t.same(lease.ask(1), { units: 9, atMs: 1_000_000 }, 'also when its lifetime is over')
  lease.answered()
  t.equal(lease.ask(1), undefined)
})

t.test('what a question gave back that was not asked goes with the one after', async t => {
  const { lease, hold } = asked()
  hold()
  lease.answered()
  const back = lease.ask(1)
  lease.answered()
  lease.keepBack(back)
  t.same(lease.ask(1), back)
})

t.test('of a strict lease less is given back, by its lifetime', async t => {
  const { lease, hold } = asked('gcra', { strict: true })
  t.match(hold(), { atMs: 1_000_000 - lifetimeMs })
  t.same(lease.takeBack(), { units: 9, atMs: 1_000_000 - lifetimeMs })
})

t.test('a charge that was spent of it is put back while it lives, and no other', async t => {
  const { clock, one, lease, now, hold } = asked()
  const { atMs } = hold()!
  t.equal(lease.putBack({ ...one, atMs }, now()), true)
  t.equal(lease.left(now()), 10)
  t.equal(lease.putBack({ ...one, atMs: atMs - 1 }, now()), false)
  t.equal(lease.putBack({ ...one, rule: rule('gcra', 50), atMs }, now()), false)
  clock.nowMs += lifetimeMs
  t.equal(lease.putBack({ ...one, atMs }, now()), false)
})

t.test('where what was counted no longer holds, nothing is spent or given back, also of an answer under way', async t => {
  const { clock, lease, now, hold } = asked()
  clock.nowMs += 1
  lease.end()
  t.match(hold(), { waitMs: 0 }, 'the caller was admitted before')
  t.equal(lease.has(1, now()), false)
  t.equal(lease.takeBack(), undefined)
})

t.test('under another rule nothing is held', async t => {
  const { lease, now, hold } = asked()
  hold()
  lease.keepOnly(rule('gcra', 100))
  t.equal(lease.has(9, now()), true, 'an equal one is the same')
  lease.keepOnly(rule('gcra', 50))
  t.equal(lease.has(1, now()), false)
  t.equal(lease.takeBack(), undefined)
})

t.test('demand is what a lifetime has seen, the recent ones the more; who comes alone has none', async t => {
  const demand = new Demand(1_000, 0)
  t.same([demand.note(1, 0), demand.note(1, 10), demand.note(5, 20)], [0, 1, 2])
  t.equal(demand.note(1, 1_000), 7)
  t.equal(demand.note(1, 2_000), 2.25)
  t.ok(demand.note(1, 60_000) < 0.01)
})
