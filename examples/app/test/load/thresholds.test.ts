import t from 'tap'
import { missed } from '../../load/thresholds.mjs'

t.test('what was not kept is a line each', async t => {
  const figures = { requestsPerSecond: 1, p50Ms: 1, p95Ms: 10, p99Ms: 20, hitRate: 0.8999, refused: 0, errors: 0 }
  t.strictSame(missed({ ...figures, hitRate: 0.9 }, { p95Ms: 10, hitRate: 0.9 }), [])
  t.strictSame(missed({ ...figures, refused: 2, errors: 1 }, { p95Ms: 9, hitRate: 0.9 }), [
    'p95 is 10.000 ms, allowed are 9 ms', 'the hit rate is 0.899, wanted are 0.9',
    '2 requests were refused (429): the server limits the address of the load', '1 requests failed'
  ])
})
