import t from 'tap'
import { createMetrics } from '../../src/metrics/registry.ts'

t.test('counts by labels, and gives the same series for the same values', async t => {
  const hits = createMetrics().counter({ name: 'hits_total', help: 'h', labels: ['kind', 'entity'] })
  hits.of('l1', 'user').inc()
  hits.of('l1', 'user').inc(2)
  hits.of('l2', 'user').inc()
  t.equal(hits.of('l1', 'user'), hits.of('l1', 'user'))
  t.same([...hits.entries()].map(([values, series]) => [values, series.value]), [[['l1', 'user'], 3], [['l2', 'user'], 1]])
})

t.test('series beyond the bound are counted under other', async t => {
  const seen = createMetrics().counter({ name: 'seen_total', help: 'h', labels: ['id'], maxSeries: 3 })
  for (let i = 0; i < 100; i++) seen.of(`id-${i}`).inc()
  const series = new Map([...seen.entries()].map(([[id], { value }]) => [id, value]))
  t.same([...series], [['id-0', 1], ['id-1', 1], ['id-2', 1], ['other', 97]])
})

t.test('a metric that exists is shared; as another kind or with other labels it is refused', async t => {
  const metrics = createMetrics()
  const first = metrics.counter({ name: 'x_total', help: 'h', labels: ['a'] })
  t.equal(metrics.counter({ name: 'x_total', help: 'h', labels: ['a'] }), first)
  t.throws(() => metrics.gauge({ name: 'x_total', help: 'h', labels: ['a'] }), { code: 'FST_RSP_METRIC_CONFLICT', message: /x_total.*a counter by \(a\).*a gauge/ })
  t.throws(() => metrics.counter({ name: 'x_total', help: 'h', labels: ['b'] }), { code: 'FST_RSP_METRIC_CONFLICT' })
  t.throws(() => first.of(), { code: 'FST_RSP_METRIC_LABELS', message: /x_total.* 1 .*0/ })
})

t.test('a histogram counts each value once, at its bound, and keeps sum and count', async t => {
  const histogram = createMetrics().histogram({ name: 'd_seconds', help: 'h', bucketBounds: [1, 0.1, 10] })
  for (const value of [0.05, 0.1, 0.5, 10, 11]) histogram.of().observe(value)
  t.same(histogram.bucketBounds, [0.1, 1, 10])
  t.same(histogram.of().buckets, [2, 1, 1, 1])
  t.equal(histogram.of().count, 5)
  t.equal(histogram.of().sum.toFixed(2), '21.65')
})

t.test('reads run what collects, and one that fails hides no other', async t => {
  const warned: object[] = []
  const metrics = createMetrics({ log: { warn: (about: object) => { warned.push(about) } } as never })
  metrics.gauge({ name: 'broken', help: 'h', collect: () => { throw new TypeError('no') } })
  metrics.gauge({ name: 'fine', help: 'h', collect: async gauge => gauge.of().set(7) })
  const read = await metrics.read()
  t.same(read.map(metric => [metric.name, [...metric.entries()].map(([, series]) => (series as { value: number }).value)]), [['broken', []], ['fine', [7]]])
  t.match(warned, [{ metric: 'broken', err: TypeError }])
})

t.test('tells of the metrics that are there and of those that come, until stopped', async t => {
  const metrics = createMetrics()
  const told: string[] = []
  metrics.counter({ name: 'a', help: 'h' })
  const stop = metrics.onMetric(metric => told.push(metric.name))
  metrics.counter({ name: 'b', help: 'h' })
  metrics.counter({ name: 'b', help: 'h' })
  stop()
  metrics.counter({ name: 'c', help: 'h' })
  t.same(told, ['a', 'b'])
})
