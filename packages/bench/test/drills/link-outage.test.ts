import t from 'tap'
import { runDrill } from '../../src/drill.ts'
import { brokenBy, linkOutage } from '../../src/drills/link-outage.ts'
import type { LoadResult } from '../../src/load.ts'

const fine: LoadResult = { responses: 100, failures: 0, statuses: { 200: 100 }, seconds: 1, p50Ms: 1, p99Ms: 2, maxMs: 3 }

t.test('what may not happen under load is found', async t => {
  t.same(brokenBy(fine), [])
  t.same(brokenBy({ ...fine, failures: 2 }), ['2 requests were not answered'])
  t.same(brokenBy({ ...fine, statuses: { 200: 90, 500: 10 } }), ['10 requests were answered 500'])
  t.same(brokenBy({ ...fine, maxMs: 2_001 }), ['a request took 2001 ms'])
  t.same(brokenBy({ ...fine, responses: 0, statuses: {} }), ['nothing was answered'])
})

t.test('an app whose Redis freezes, dies and returns goes on answering', async t => {
  const result = await runDrill(linkOutage, { quick: true, seed: 1, operations: undefined, seconds: 0.5, print: text => { t.comment(text) } })
  t.same(result.violations, [])
  t.ok(result.operations > 100, `${result.operations} requests`)
  t.hasStrict(Object.keys(result.figures), ['upPerSecond'])
})
