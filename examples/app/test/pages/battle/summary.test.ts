import t from 'tap'
import { type Answer, factorOf, percentile, summarize } from '../../../pages/battle/summary.ts'

const answers = (latencies: readonly number[], outcome: Answer['outcome']): Answer[] => latencies.map((latencyMs, i) => ({ atMs: i, latencyMs, outcome }))

t.test('a percentile is the smallest value that so large a part does not exceed', async t => {
  const values = Array.from({ length: 100 }, (_, i) => i + 1)
  t.same([0.01, 0.5, 0.95, 0.99, 1].map(part => percentile(values, part)), [1, 50, 95, 99, 100])
  t.same([0.5, 0.99].map(part => percentile([7], part)), [7, 7])
  t.equal(percentile([], 0.5), undefined)
})

t.test('a summary counts what failed, and leaves it out of rates and latencies', async t => {
  const all = [...answers([9, 10, 1], 'hit'), ...answers([500], 'miss'), ...answers([1, 1, 1, 1], 'failed')]
  t.same(summarize(all, 2_000), { answers: 4, perSecond: 2, p50Ms: 9, p95Ms: 500, p99Ms: 500, hits: 3, misses: 1, failed: 4 })
})

t.test('a lane that has only begun has no rate and no latency', async t => {
  t.same(summarize([], 0), { answers: 0, perSecond: 0, p50Ms: undefined, p95Ms: undefined, p99Ms: undefined, hits: 0, misses: 0, failed: 0 })
})

t.test('the factor compares answers a second, each lane by its own time', async t => {
  const cached = summarize(answers([1, 1, 1, 1], 'hit'), 1_000)
  t.equal(factorOf(cached, summarize(answers([500, 500], 'uncached'), 2_000)), 4)
  t.equal(factorOf(cached, summarize(answers([1], 'failed'), 2_000)), undefined, 'there is nothing to compare with')
  t.equal(factorOf(summarize([], 1_000), cached), undefined)
})
