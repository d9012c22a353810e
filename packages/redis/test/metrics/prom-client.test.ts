import { Registry } from 'prom-client'
import t from 'tap'
import { bindPromClient } from '../../src/metrics/prom-client.ts'
import { createMetrics } from '../../src/metrics/registry.ts'

t.test('a Registry shows counters, gauges and histograms as they are when it is scraped', async t => {
  const metrics = createMetrics()
  const registry = new Registry()
  const early = metrics.counter({ name: 'early_total', help: 'made before', labels: ['kind'] })
  bindPromClient(metrics, registry)
  let size = 1
  metrics.gauge({ name: 'late_size', help: 'made after', collect: gauge => gauge.of().set(size) })
  const histogram = metrics.histogram({ name: 'took_seconds', help: 'time', labels: ['op'], bucketBounds: [0.1, 1] })
  early.of('a"b\n').inc(2)
  histogram.of('get').observe(0.05)
  histogram.of('get').observe(0.5)
  histogram.of('get').observe(5)
  size = 42
  t.equal(await registry.metrics(), [
    '# HELP early_total made before', '# TYPE early_total counter', 'early_total{kind="a\\"b\\n"} 2', '',
    '# HELP late_size made after', '# TYPE late_size gauge', 'late_size 42', '',
    '# HELP took_seconds time', '# TYPE took_seconds histogram', 'took_seconds_bucket{op="get",le="0.1"} 1', 'took_seconds_bucket{op="get",le="1"} 2',
    'took_seconds_bucket{op="get",le="+Inf"} 3', 'took_seconds_sum{op="get"} 5.55', 'took_seconds_count{op="get"} 3', ''
  ].join('\n'))
})

t.test('a Registry of OpenMetrics shows a counter once with its suffix, however often it is read', async t => {
  const metrics = createMetrics()
  const registry = new Registry()
  registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never)
  bindPromClient(metrics, registry)
  metrics.counter({ name: 'hits_total', help: 'h' }).of().inc()
  await registry.metrics()
  t.match(await registry.metrics(), /# TYPE hits counter\nhits_total 1\n/)
})

t.test('is read as JSON, reset without forgetting, and taken out', async t => {
  const metrics = createMetrics()
  const registry = new Registry()
  const unbind = bindPromClient(metrics, registry)
  const hits = metrics.counter({ name: 'hits_total', help: 'h' })
  hits.of().inc()
  registry.resetMetrics()
  t.match(await registry.getMetricsAsJSON(), [{ name: 'hits_total', type: 'counter', values: [{ value: 1, labels: {} }] }])
  unbind()
  metrics.counter({ name: 'more_total', help: 'h' })
  t.same(await registry.getMetricsAsJSON(), [])
})
