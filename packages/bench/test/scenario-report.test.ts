import t from 'tap'
import type { Sample } from '../src/scenario.ts'
import { scenarioReport } from '../src/scenario-report.ts'
import { table } from '../src/table.ts'

t.test('a table puts names to the left and numbers to the right', async t => {
  t.equal(table([['name', 'rps'], ['bare', '12,345'], ['a longer one', '7']]), [
    'name             rps',
    '------------  ------',
    'bare          12,345',
    'a longer one       7'
  ].join('\n'))
})

const sample = (perSecond: number, more: Partial<Sample> = {}): Sample => ({ perSecond, p99Ms: 2, redisCallsPerRequest: 1.5, ...more })

t.test('the report shows medians with least and greatest, ratios with their target, and what was sent', async t => {
  const text = scenarioReport({ unit: 'rps', targets: [{ over: 'peers', atLeast: 2 }] }, new Map([
    ['bare', [sample(3000), sample(5000), sample(4000)]],
    ['peers', [sample(1000), sample(1000), sample(1000)]],
    ['respite', [sample(1900, { note: 'evalsha 1.000' }), sample(1800), sample(2600)]]
  ]))
  t.match(text, /bare +4,000 +3,000–5,000 +2\.00 +2\.00–2\.00 +1\.500/)
  t.match(text, /respite\/bare +0\.63 +0\.36–0\.65$/m)
  t.match(text, /respite\/peers +1\.90 +1\.80–2\.60 +at least 2: MISSED/)
  t.match(text, /^respite: evalsha 1\.000$/m)
})

t.test('a figure that only some candidates have leaves the others empty', async t => {
  const text = scenarioReport({ unit: 'opsPerSecond', targets: [] }, new Map([
    ['incr', [sample(10)]], ['respite', [sample(20, { figures: { bytesPerKey: 96 } })]]
  ]))
  t.match(text, /Redis calls +bytesPerKey$/m)
  t.match(text, /^incr .* 1\.500$/m)
  t.match(text, /^respite .* 1\.500 +96\.0$/m)
})

t.test('a bound is held to the worst round, and what is counted for each request has three digits', async t => {
  const bound = { candidate: 'respite', figure: 'redisWritesPerRequest', atMost: 0 }
  const calls = { ...bound, figure: 'redisCallsPerRequest', atMost: 1.5 }
  const rounds = [0, 0.004, 0].map(redisWritesPerRequest => sample(10, { figures: { redisWritesPerRequest } }))
  const text = scenarioReport({ unit: 'rps', targets: [], bounds: [bound, calls, { ...bound, candidate: 'absent' }] }, new Map([['respite', rounds]]))
  t.match(text, /^respite: redisWritesPerRequest at most 0: EXCEEDED, 0\.004$/m)
  t.match(text, /^respite: redisCallsPerRequest at most 1\.5: kept, 1\.500$/m)
  t.match(text, /^respite .* 0\.000$/m)
  t.notMatch(text, /absent/)
})

t.test('a bound beyond another candidate is held to the median of what lies between the two in each round', async t => {
  const bound = { candidate: 'respite', figure: 'p99Ms', atMost: 0.1, beyond: 'bare' }
  const of = (...p99Ms: number[]) => p99Ms.map(each => sample(10, { p99Ms: each }))
  const text = (ours: number[], bare: number[]) => scenarioReport({ unit: 'rps', targets: [], bounds: [bound] }, new Map([['bare', of(...bare)], ['respite', of(...ours)]]))
  t.match(text([1.05, 9, 3.05], [1, 2, 3]), /^respite: p99Ms beyond bare at most 0\.1: kept, 0\.050$/m)
  t.match(text([1.2, 2.2, 3], [1, 2, 3]), /^respite: p99Ms beyond bare at most 0\.1: EXCEEDED, 0\.200$/m)
  t.notMatch(scenarioReport({ unit: 'rps', targets: [], bounds: [bound] }, new Map([['respite', of(1)]])), /beyond/)
})
