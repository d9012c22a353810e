import t from 'tap'
import { algorithmNames, rule } from '../rules.ts'
import { Simulated } from './simulated.ts'

const minute = 60_000
const second = 1_000
const day = 86_400_000

/** Takes at even distances. @returns how many of them were admitted */
function steadily (limit: Simulated, { times, everyUs, cost = 1 }: { times: number, everyUs: number, cost?: number }): number {
  let admitted = 0
  for (let i = 0; i < times; i++) {
    if (limit.take(cost).allowed) admitted++
    limit.pass(everyUs)
  }
  return admitted
}

t.test('hazard 5: sliding-log: who comes ten times as often as allowed gets exactly the limit in each window, for ever', async t => {
  const limit = new Simulated(rule('sliding-log', 60))
  const windows = Array.from({ length: 50 }, () => steadily(limit, { times: 600, everyUs: 100_000 }))
  t.same(windows, windows.map(() => 60))
})

for (const algorithm of algorithmNames) {
  t.test(`hazard 4: ${algorithm}: one in 10 s under 10 a minute is never refused`, async t => {
    for (const phaseMs of [0, 1, 3_999, 7_777]) {
      const limit = new Simulated(rule(algorithm, 10))
      limit.pass(phaseMs * 1_000)
      t.equal(steadily(limit, { times: 5_000, everyUs: 10_000_000 }), 5_000)
    }
  })

  t.test(`hazard 6: ${algorithm}: of 1,000 in one millisecond exactly the limit is admitted`, async t => {
    for (const units of [1, 7, 100, 999, 1_000]) {
      const limit = new Simulated(rule(algorithm, units))
      t.equal(steadily(limit, { times: 1_000, everyUs: 0 }), units)
      t.equal(limit.peek().remaining, 0)
    }
  })

  t.test(`hazard 9: ${algorithm}: large limits a second hold at twice their rate, and are used`, async t => {
    for (const units of algorithm === 'sliding-log' ? [7, 6_000] : [7, 6_000, 50_000]) {
      const limit = new Simulated(rule(algorithm, units, { windowMs: second }))
      const admitted = steadily(limit, { times: 6 * units, everyUs: Math.round(1_000_000 / units / 2) })
      const most = limit.admissions.mostWithin(second)
      const bound = { 'fixed-window': 2 * units - 1, 'sliding-log': units, 'sliding-counter': units, gcra: 2 * units }[algorithm]
      t.ok(most <= bound, `${most} of ${bound} in a second`)
      // Three seconds; the counters let a unit count for 67 ms longer.
      t.ok(admitted >= 2.6 * units && admitted <= 4 * units, `${admitted} of ${units} a second in three`)
    }
  })

  t.test(`hazard 2: ${algorithm}: a window of 250 ms and one of 30 days end when they say, not a millisecond earlier`, async t => {
    for (const windowMs of [250, 30 * day]) {
      const limit = new Simulated(rule(algorithm, 3, { windowMs }))
      t.equal(steadily(limit, { times: 4, everyUs: 0 }), 3)
      const { waitMs } = limit.take(3)
      t.ok(waitMs > 0 && waitMs <= Math.ceil(windowMs / 15) * 16, `${waitMs} ms`)
      limit.pass((waitMs - 1) * 1_000)
      t.equal(limit.take(3).allowed, false)
      limit.pass(1_000)
      t.equal(limit.take(3).allowed, true)
    }
  })

  t.test(`hazard 10: ${algorithm}: with a clock set back by a day nobody waits longer than a window, and who waits is admitted`, async t => {
    for (const aheadMs of [1, minute, day]) {
      const limit = new Simulated(rule(algorithm, 5))
      t.equal(steadily(limit, { times: 6, everyUs: 0 }), 5)
      limit.pass(-aheadMs * 1_000)
      const { allowed, waitMs } = limit.take(5)
      t.equal(allowed, false)
      t.ok(waitMs > 0 && waitMs <= minute / 15 * 16, `${waitMs} ms`)
      limit.pass(waitMs * 1_000)
      t.equal(limit.take(5).allowed, true)
    }
  })

  t.test(`hazard 8: ${algorithm}: a cost above the limit is refused for ever, and never charged`, async t => {
    const limit = new Simulated(rule(algorithm, 5))
    for (let i = 0; i < 100; i++) t.match(limit.take(6), { allowed: false, waitMs: Infinity, remaining: 5 })
    t.equal(limit.take(5).allowed, true)
  })
}

for (const algorithm of ['fixed-window', 'sliding-log', 'sliding-counter'] as const) {
  t.test(`hazard 9: ${algorithm}: a limit of 0 refuses all, for ever`, async t => {
    const limit = new Simulated(rule(algorithm, 0))
    t.equal(steadily(limit, { times: 100, everyUs: minute * 1_000 }), 0)
    t.match(limit.take(), { waitMs: Infinity, remaining: 0, resetMs: 0 })
  })
}

t.test('hazard 7: fixed-window: admits 2L − 1 at the edge of two windows', async t => {
  const limit = new Simulated(rule('fixed-window', 10))
  limit.take()
  limit.pass((minute - 1) * 1_000)
  t.equal(steadily(limit, { times: 20, everyUs: 0 }), 9)
  limit.pass(1_000)
  t.equal(steadily(limit, { times: 20, everyUs: 0 }), 10)
  t.equal(limit.admissions.mostWithin(minute), 19)
})

for (const algorithm of ['sliding-log', 'sliding-counter'] as const) {
  t.test(`hazard 7: ${algorithm}: at the edge of a window admits no more than the limit`, async t => {
    const limit = new Simulated(rule(algorithm, 10))
    limit.take()
    limit.pass((minute - 1) * 1_000)
    t.equal(steadily(limit, { times: 20, everyUs: 0 }), 9)
    limit.pass(1_000)
    t.ok(steadily(limit, { times: 20, everyUs: 0 }) <= 1)
    t.equal(limit.admissions.mostWithin(minute), 10)
  })
}

t.test('gcra: admits its burst at once after a rest, then one an interval', async t => {
  const limit = new Simulated(rule('gcra', 60, { capacity: 5 }))
  t.equal(steadily(limit, { times: 20, everyUs: 0 }), 5)
  t.match(limit.take(), { allowed: false, waitMs: 1_000 })
  t.equal(steadily(limit, { times: 10 * 60, everyUs: 100_000 }), 59)
  limit.pass(minute * 1_000)
  t.equal(steadily(limit, { times: 20, everyUs: 0 }), 5, 'a rest saves up no more than the burst')
})

t.test('reset and remaining jump together at the end of a window', async t => {
  const limit = new Simulated(rule('fixed-window', 3))
  limit.take(2)
  limit.pass((minute - 1) * 1_000)
  t.match(limit.peek(), { remaining: 1, resetMs: 1 })
  limit.pass(1_000)
  t.match(limit.peek(), { remaining: 3, resetMs: 0 })
  t.match(limit.take(), { remaining: 2, resetMs: minute })
})
