import t from 'tap'
import { runDrill } from '../../src/drill.ts'
import { cacheHistory } from '../../src/drills/cache-history.ts'
import { brokenReads, type History, percentile, stalenessOf, unknowingReads } from '../../src/drills/cache-history-checker.ts'

const ending = { process: 0, key: 1, version: 5, calledAt: 100, resolvedAt: 102 }
const read = { process: 1, key: 1, beganAt: 103, version: 4, how: 'redis' as const }
const history = (more: Partial<History>): History => ({ reads: [], endings: [ending], disturbances: [], localMaxAgeMs: 1_000, ...more })

t.test('a read through Redis that began after an invalidation resolved may not be older', async t => {
  t.match(brokenReads(history({ reads: [read] })), [/^\(A\): process 1 read v4 of k:1 .* v5 had been invalidated/])
  t.strictSame(brokenReads(history({ reads: [{ ...read, beganAt: 101 }, { ...read, version: 5 }, { ...read, key: 2 }] })), [])
})

t.test('a read is held to the newest of the invalidations before it, whatever their order', async t => {
  const endings = [ending, { ...ending, version: 3, resolvedAt: 110 }, { ...ending, version: 9, resolvedAt: 120 }]
  t.equal(brokenReads(history({ endings, reads: [{ ...read, beganAt: 115 }] })).length, 1)
  t.strictSame(brokenReads(history({ endings, reads: [{ ...read, beganAt: 115, version: 5 }] })), [])
})

t.test('a local copy may be older only in other processes, and only for its greatest age', async t => {
  t.strictSame(brokenReads(history({ reads: [{ ...read, how: 'local' as const }] })), [])
  t.match(brokenReads(history({ reads: [{ ...read, how: 'local' as const, process: 0 }] })), [/^\(B\) own/])
  t.match(brokenReads(history({ reads: [{ ...read, how: 'local' as const, beganAt: 1_103 }] })), [/^\(B\) too old/])
})

t.test('a process without Redis may share what it loads, as long as it has not invalidated it itself; how often that was older is counted', async t => {
  const alone = { ...read, how: 'withoutRedis' as const }
  t.strictSame(brokenReads(history({ reads: [alone] })), [])
  t.equal(unknowingReads(history({ reads: [alone, { ...alone, version: 5 }, { ...alone, beganAt: 101 }, read] })), 1)
  t.match(brokenReads(history({ reads: [{ ...alone, process: 0 }] })), [/^\(B\) own/])
})

t.test('how long copies stay is measured from the call to the last old read elsewhere, apart for what was disturbed', async t => {
  const copy = { ...read, how: 'local' as const }
  const reads = [copy, { ...copy, beganAt: 108 }, { ...copy, beganAt: 150, version: 5 }, { ...copy, beganAt: 160, process: 0 }, { ...copy, beganAt: 170, how: 'redis' as const }]
  t.strictSame(stalenessOf(history({ reads })), { undisturbed: [8], disturbed: [] })
  t.strictSame(stalenessOf(history({ reads, disturbances: [{ process: 1, from: 107, to: 300 }] })), { undisturbed: [3], disturbed: [8] })
  t.strictSame(stalenessOf(history({ reads: [{ ...copy, beganAt: 99 }] })), { undisturbed: [0], disturbed: [] }, 'it was there and went at once')
  t.strictSame(stalenessOf(history({ reads: [{ ...copy, beganAt: 50 }] })), { undisturbed: [], disturbed: [] }, 'there was none')
})

t.test('percentiles are values that were measured', async t => {
  const values = Array.from({ length: 100 }, (_, i) => 100 - i)
  t.strictSame([0.5, 0.99, 1].map(share => percentile(values, share)), [50, 99, 100])
  t.equal(percentile([], 0.99), 0)
})

t.test('processes that are frozen, killed and cut off read nothing older than what was invalidated before', async t => {
  const result = await runDrill(cacheHistory, { quick: true, seed: 7, operations: 6_000, seconds: undefined, print: text => { t.comment(text) } })
  t.strictSame(result.violations, [])
  t.ok(result.operations >= 6_000, `${result.operations} operations`)
  t.equal(result.figures.brokenReads, 0)
})
