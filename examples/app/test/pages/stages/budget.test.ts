import t from 'tap'
import { type Budget, budgetsOf, budgetText, fullness, returnsAfter, secondsUntil } from '../../../pages/stages/budget.ts'

const headers = (fields: Record<string, string>) => new Headers(fields)
const minute: Budget = { name: 'minute', limit: 2, windowMs: 60_000, remaining: 2, untilMs: 0 }

t.test('reads every budget of an answer', async t => {
  t.same(budgetsOf(headers({ 'ratelimit-policy': '"ping-5s";q=1;w=5, "ping-minute";q=2;w=60', ratelimit: '"ping-5s";r=0;t=5, "ping-minute";r=1;t=60' })), [
    { name: 'ping-5s', limit: 1, windowMs: 5_000, remaining: 0, untilMs: 5_000 },
    { name: 'ping-minute', limit: 2, windowMs: 60_000, remaining: 1, untilMs: 60_000 }
  ])
})

t.test('reads names with every character a name may have, and passes over parameters it does not know', async t => {
  const policy = '"a, \\"b\\";q=9";q=3;qu="requests";w=10;pk=1'
  t.same(budgetsOf(headers({ 'ratelimit-policy': policy, ratelimit: '"a, \\"b\\";q=9";r=2;t=7' })), [
    { name: 'a, "b";q=9', limit: 3, windowMs: 10_000, remaining: 2, untilMs: 7_000 }
  ])
})

t.test('leaves out what is said by halves', async t => {
  t.same(budgetsOf(headers({})), [])
  t.same(budgetsOf(headers({ 'ratelimit-policy': '"a";q=1;w=5' })), [])
  t.same(budgetsOf(headers({ ratelimit: '"a";r=1;t=5' })), [])
  t.same(budgetsOf(headers({ 'ratelimit-policy': '"in-flight";q=1;qu="concurrent-requests"', ratelimit: '"in-flight";r=1;t=5' })), [], 'no window, no refill')
})

t.test('a unit that was granted is back a window later, also after answers that know less', async t => {
  const first = returnsAfter([], { ...minute, remaining: 1, untilMs: 60_000 }, { nowMs: 1_000, granted: true })
  t.same(first, [61_000])
  const second = returnsAfter(first, { ...minute, remaining: 0, untilMs: 60_000 }, { nowMs: 11_000, granted: true })
  t.same(second, [61_000, 71_000])
  t.same(returnsAfter(second, { ...minute, remaining: 0, untilMs: 49_000 }, { nowMs: 12_000, granted: false }), second, 'a refusal charges nothing')
  t.same(returnsAfter(second, { ...minute, remaining: 1, untilMs: 10_000 }, { nowMs: 62_000, granted: false }), [71_000], 'the first is back')
})

t.test('what others have used is back when the server says', async t => {
  t.same(returnsAfter([], { ...minute, remaining: 0, untilMs: 30_000 }, { nowMs: 0, granted: false }), [30_000, 30_000])
  t.same(returnsAfter([], { ...minute, remaining: 0, untilMs: 60_000 }, { nowMs: 0, granted: true }), [60_000, 60_000])
})

t.test('what the server has given back is free at once', async t => {
  t.same(returnsAfter([61_000, 71_000], { ...minute, remaining: 2, untilMs: 0 }, { nowMs: 12_000, granted: false }), [])
  t.same(returnsAfter([61_000, 71_000], { ...minute, remaining: 1, untilMs: 59_000 }, { nowMs: 12_000, granted: false }), [71_000])
})

t.test('fills little by little, and is full when everything is back', async t => {
  const returns = [30_000, 60_000]
  t.equal(fullness(returns, minute, 0), 0.25)
  t.equal(fullness(returns, minute, 30_000), 0.75)
  t.equal(fullness(returns, minute, 60_000), 1)
  t.equal(fullness([100_000], { limit: 1, windowMs: 5_000 }, 0), 0, 'never less than nothing')
  t.equal(fullness([], { limit: 0, windowMs: 5_000 }, 0), 0)
})

t.test('says in words what is free and when more is, in seconds that are long enough', async t => {
  t.equal(budgetText([30_001, 60_000], 2, 0), '0 of 2 free, one more in 31 s')
  t.equal(budgetText([30_001, 60_000], 2, 30_001), '1 of 2 free, one more in 30 s')
  t.equal(budgetText([30_001, 60_000], 2, 60_000), '2 of 2 free')
  t.same([secondsUntil(1_000, 0), secondsUntil(1_001, 0), secondsUntil(0, 5)], [1, 2, 0])
})
