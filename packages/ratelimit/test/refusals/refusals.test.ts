import t from 'tap'
import { Refusals } from '../../src/refusals/refusals.ts'
import type { Rule } from '../../src/rule.ts'
import type { Check, Outcome } from '../../src/stores/store.ts'
import { check, rule } from '../rules.ts'

const outcome = (told: Partial<Outcome>): Outcome => ({ remaining: 0, waitMs: 0, resetMs: 0, atMs: 1_000, by: 'store', ...told })
const log = rule('sliding-log', 5)

/** Refusals that were told so, asked at 100 ms and answered at 110 ms. */
function told (...said: readonly [Check, Partial<Outcome>][]): Refusals {
  const refusals = new Refusals()
  refusals.remember(said.map(([check]) => check), { allowed: false, outcomes: said.map(([, one]) => outcome(one)) }, { sentMs: 100, receivedMs: 110 })
  return refusals
}

t.test('a refusal holds for the whole milliseconds of the wait of the server, from the sending on', async t => {
  const one = check(log)
  const refusals = told([one, { waitMs: 1_000 }])
  t.match(refusals.recall([one], 100), { allowed: false })
  t.match(refusals.recall([one], 1_098.9), { allowed: false })
  t.equal(refusals.recall([one], 1_099), undefined, 'the server counts the millisecond that has begun')
})

t.test('what it tells counts down to a moment at which the server has room, not to an earlier one', async t => {
  const one = check(log)
  const refusals = told([one, { waitMs: 1_000, resetMs: 3_000 }])
  t.same(refusals.recall([one], 510)!.outcomes, [outcome({ waitMs: 600, resetMs: 2_600, atMs: 1_410 })])
  t.match(refusals.recall([one], 1_098)!.outcomes, [{ waitMs: 12 }])
})

t.test('another subject, another limit and another cost are asked for', async t => {
  const refusals = told([check(log, 'somebody', 3), { waitMs: 1_000, remaining: 2 }])
  for (const other of [check(log, 'another', 3), check(rule('sliding-log', 5, { name: 'x' }), 'somebody', 3), check(log, 'somebody', 1), check(log, 'somebody', 2), check(log, 'somebody', 4)]) {
    t.equal(refusals.recall([other], 200), undefined)
  }
})

t.test('fixed-window: no cost above what is left passes before the window ends, and smaller ones may', async t => {
  const refusals = told([check(rule('fixed-window', 10), 'somebody', 5), { waitMs: 1_000, remaining: 2 }])
  const recalls = (cost: number) => refusals.recall([check(rule('fixed-window', 10), 'somebody', cost)], 200) !== undefined
  t.same([1, 2, 3, 5, 10].map(recalls), [false, false, true, true, true])
  t.equal(recalls(11), false, 'one that never passes is told so by the store')
})

t.test('each of the costs of a few routes is remembered, and of more the latest', async t => {
  const refusals = new Refusals()
  for (const cost of [1, 2, 3, 4, 5]) refusals.remember([check(log, 'somebody', cost)], { allowed: false, outcomes: [outcome({ waitMs: cost * 100 })] }, { sentMs: 0, receivedMs: 0 })
  t.same([1, 2, 3, 4, 5].map(cost => refusals.recall([check(log, 'somebody', cost)], 10)?.outcomes[0]!.waitMs), [undefined, 190, 290, 390, 490])
})

t.test('another rule ends it: a limit, a window, a burst, an algorithm', async t => {
  const refusals = told([check(log), { waitMs: 1_000 }])
  t.ok(refusals.recall([check({ ...log })], 200), 'an equal one does not')
  const others: Partial<Rule>[] = [{ limit: 6 }, { windowMs: 1 }, { capacity: 6 }, { algorithm: 'gcra' }]
  for (const other of others) t.equal(refusals.recall([check({ ...log, ...other })], 200), undefined, JSON.stringify(other))
})

t.test('a question is refused as a whole, and tells of the limits that had room what it was told', async t => {
  const [tight, wide, unknown] = [check(log), check(rule('gcra', 9)), check(rule('fixed-window', 9))]
  const refusals = told([tight, { waitMs: 1_000 }], [wide, { remaining: 7, resetMs: 50 }])
  t.match(refusals.recall([tight, wide], 105), { allowed: false, outcomes: [{ waitMs: 1_005 }, { remaining: 7, waitMs: 0, resetMs: 55 }] })
  t.match(refusals.recall([tight], 200), { allowed: false })
  t.equal(refusals.recall([wide], 200), undefined, 'one that had room may pass')
  t.equal(refusals.recall([tight, unknown], 200), undefined, 'of one that was not asked nobody knows what is left')
  t.equal(refusals.recall([tight, wide], 1_100), undefined)
})

t.test('a limit of 0 is remembered for a window, a cost that is too large is not', async t => {
  const none = check(rule('sliding-log', 0, { windowMs: 500 }))
  t.match(told([none, { waitMs: Infinity }]).recall([none], 599)!.outcomes, [{ waitMs: Infinity }])
  t.equal(told([none, { waitMs: Infinity }]).recall([none], 600), undefined)
  const large = check(log, 'somebody', 6)
  t.equal(told([large, { waitMs: Infinity, remaining: 3 }]).recall([large], 101), undefined)
})

t.test('concurrency: who is refused is asked for each time, and beside another limit that refuses not', async t => {
  const slots = check(rule('concurrency', 1))
  t.equal(told([slots, { waitMs: 1_000 }]).recall([slots], 101), undefined)
  t.match(told([slots, {}], [check(log), { waitMs: 1_000 }]).recall([slots, check(log)], 101), { allowed: false })
})

t.test('who was freed is asked for again, and an answer from before says nothing', async t => {
  const one = check(log)
  const refusals = told([one, { waitMs: 1_000 }])
  refusals.free(log.name, 'another', 200)
  t.ok(refusals.recall([one], 201))
  refusals.free(log.name, one.subject, 200)
  t.equal(refusals.recall([one], 201), undefined)
  const verdict = { allowed: false, outcomes: [outcome({ waitMs: 1_000 })] }
  refusals.remember([one], verdict, { sentMs: 199, receivedMs: 300 })
  t.equal(refusals.recall([one], 301), undefined, 'it was under way')
  refusals.remember([one], verdict, { sentMs: 201, receivedMs: 300 })
  t.ok(refusals.recall([one], 301))
})

t.test('a flood of refused keys takes bounded memory', async t => {
  const refusals = new Refusals()
  const verdict = { allowed: false, outcomes: [outcome({ waitMs: 1_000 })] }
  for (let i = 0; i < 30_000; i++) {
    refusals.remember([check(log, `s${i}`)], verdict, { sentMs: 0, receivedMs: 0 })
    refusals.free('x', `s${i}`, 0)
  }
  t.equal(refusals.size, 20_000)
})
