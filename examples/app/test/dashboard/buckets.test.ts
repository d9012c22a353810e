import t from 'tap'
import { bucketAt, estimatedPercentile } from '../../src/dashboard/buckets.ts'

const bounds = [1, 10, 100]

t.test('an estimated percentile lies within the bucket that holds it, as far in as its rank', async t => {
  t.equal(estimatedPercentile({ bounds, counts: [0, 10, 0, 0] }, 0.5), 5.5)
  t.equal(estimatedPercentile({ bounds, counts: [10, 0, 0, 0] }, 1), 1)
  t.equal(estimatedPercentile({ bounds, counts: [50, 0, 50, 0] }, 0.5), 1)
  t.equal(estimatedPercentile({ bounds, counts: [50, 0, 50, 0] }, 0.75), 55)
  t.ok(Math.abs(estimatedPercentile({ bounds, counts: [98, 0, 2, 0] }, 0.99)! - 55) < 1e-9)
})

t.test('an estimated percentile is the highest bound where it lies beyond all', async t => {
  t.equal(estimatedPercentile({ bounds, counts: [1, 0, 0, 9] }, 0.5), 100)
})

t.test('an estimated percentile does not exist where nothing was counted', async t => {
  t.equal(estimatedPercentile({ bounds, counts: [0, 0, 0, 0] }, 0.5), undefined)
  t.equal(estimatedPercentile({ bounds: [], counts: [] }, 0.5), undefined)
})

t.test('a value is known no better than by its bucket', async t => {
  t.same(bucketAt({ bounds, counts: [98, 0, 2, 0] }, 0.99), { above: 10, upTo: 100, into: 0.5 })
  t.match(bucketAt({ bounds, counts: [1, 0, 0, 9] }, 0.5), { above: 100, upTo: undefined })
  t.equal(bucketAt({ bounds, counts: [0, 0, 0, 0] }, 0.5), undefined)
})
