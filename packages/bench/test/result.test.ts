import t from 'tap'
import { ratiosOf, resultOf } from '../src/result.ts'
import type { Sample } from '../src/scenario.ts'

const at = (...rates: number[]): Sample[] => rates.map(perSecond => ({ perSecond, p99Ms: 1000 / perSecond, redisCallsPerRequest: 1.00004 }))

t.test('the result holds the median of every candidate under the unit of the scenario', async t => {
  const samples = new Map([['bare', at(100, 300, 200)], ['respite', at(90, 80, 100)]])
  t.same(resultOf({ name: 'suite', unit: 'rps' }, samples).results, {
    bare: { rps: 200, p99Ms: 5, redisCallsPerRequest: 1 }, respite: { rps: 90, p99Ms: 11.111, redisCallsPerRequest: 1 }
  })
  t.match(resultOf({ name: 'cache-hit', unit: 'opsPerSecond' }, samples).results, { bare: { opsPerSecond: 200 } })
})

t.test('a ratio is the median of the ratios of each round, not the ratio of two medians', async t => {
  // The machine was slow in round 2, for both: the ratio of that round is as good as the others.
  const samples = new Map([['peers', at(100, 10, 110)], ['respite', at(200, 20, 330)]])
  t.same(resultOf({ name: 'suite', unit: 'rps' }, samples).ratios, { 'respite/peers': 2 })
  t.same(ratiosOf(samples).get('peers'), { median: 2, min: 2, max: 3 })
})

t.test('variants of ours are compared like anybody else, and without ours there is nothing to compare', async t => {
  t.same([...ratiosOf(new Map([['respite', at(4)], ['respite-l1', at(8)]]))], [['respite-l1', { median: 0.5, min: 0.5, max: 0.5 }]])
  t.same([...ratiosOf(new Map([['bare', at(4)], ['peers', at(8)]]))], [])
})

t.test('further figures of a scenario become fields of its candidates', async t => {
  const withBytes = at(1, 1, 1).map((sample, i) => ({ ...sample, figures: { bytesPerKey: 100 + i } }))
  t.match(resultOf({ name: 'ratelimit', unit: 'opsPerSecond' }, new Map([['respite', withBytes]])).results, { respite: { bytesPerKey: 101 } })
})
