import { bindPromClient } from '@respite/redis'
import Fastify from 'fastify'
import redis from '@respite/redis'
import { Registry } from 'prom-client'
import t from 'tap'
import { Latencies } from '../../src/dashboard/latencies.ts'
import { MetricValues } from '../../src/dashboard/metric-values.ts'
import { Sampler } from '../../src/dashboard/sampler.ts'

async function watched () {
  const app = Fastify()
  await app.register(redis, { embedded: true })
  const { metrics } = app.respite
  let nowMs = 0
  const clock = { monotonicMs: () => nowMs, wallMs: () => 1_000_000 + nowMs }
  const values = new MetricValues(metrics)
  const hits = metrics.counter({ name: 'cache_hits_total', help: 'hits', labels: ['cache_type', 'entity_type'] })
  const decisions = metrics.counter({ name: 'rate_limit_decisions_total', help: 'decisions', labels: ['limit', 'route', 'decision'] })
  const times = metrics.histogram({ name: 'cache_operation_duration_seconds', help: 'times', labels: ['operation', 'tier'], bucketBounds: [0.001, 0.1, 1] })
  const later = (ms: number) => { nowMs += ms }
  return { app, metrics, values, clock, hits, decisions, times, later }
}

t.test('tells what a second has brought, not what there was before', async t => {
  const { values, clock, hits, decisions, later } = await watched()
  hits.of('l1', 'weather').inc(100)
  const sampler = new Sampler(values, new Latencies(values), clock)
  hits.of('l1', 'weather').inc(6)
  hits.of('l1', 'entry').inc(4)
  hits.of('l2', 'entry').inc(3)
  decisions.of('ping', 'GET /ping', 'allowed').inc(2)
  decisions.of('ping', 'GET /ping', 'refused').inc(8)
  later(1_000)
  t.match(await sampler.take(), { atMs: 1_001_000, seconds: 1, hitsL1: 10, hitsL2: 3, misses: 0, allowed: 2, refused: 8 })
  hits.of('l1', 'weather').inc(10)
  later(2_000)
  t.match(await sampler.take(), { atMs: 1_003_000, seconds: 2, hitsL1: 10, hitsL2: 0, refused: 0 }, 'a late timer makes a longer second')
})

t.test('tells percentiles of the last ten seconds by tier, and none where nothing was measured', async t => {
  const { values, clock, times, later } = await watched()
  times.of('get', 'l2').observe(0.5)
  const latencies = new Latencies(values)
  const sampler = new Sampler(values, latencies, clock)
  later(1_000)
  t.match(await sampler.take(), { l2P50Ms: null, l1P99Ms: null, redisP99Ms: null })
  for (let i = 0; i < 100; i++) times.of('get', 'l2').observe(0.05)
  later(1_000)
  t.match(await sampler.take(), { l2P50Ms: 50.5, l1P50Ms: null })
  for (let i = 0; i < 10; i++) {
    later(1_000)
    await sampler.take()
  }
  later(1_000)
  t.match(await sampler.take(), { l2P50Ms: null }, 'eleven seconds later')
  t.same(latencies.ofReads(0.5), { aboveMs: 1, upToMs: 100 }, 'but of the last minute it is')
})

t.test('counts all reads from memory, as those that were measured', async t => {
  const { values, hits, times } = await watched()
  const latencies = new Latencies(values)
  for (let i = 0; i < 36; i++) times.of('getOrSet', 'l2').observe(0.5)
  hits.of('l1', 'weather').inc(64)
  latencies.look()
  t.equal(latencies.ofReads(0.64), null, 'none of them was measured, and nobody knows')
  t.same(latencies.ofReads(0.65), { aboveMs: 100, upToMs: 1_000 })
  times.of('getOrSet', 'l1').observe(0.0005)
  latencies.look()
  t.same(latencies.ofReads(0.64), { aboveMs: 0, upToMs: 1 })
  t.same(latencies.ofReads(0.65), { aboveMs: 100, upToMs: 1_000 })
})

t.test('a write or a drop is no read, and a read may take longer than the histogram reaches', async t => {
  const { values, times } = await watched()
  const latencies = new Latencies(values)
  for (const operation of ['set', 'invalidate', 'writeThrough']) times.of(operation, 'l2').observe(0.5)
  latencies.look()
  t.same([latencies.ofReads(0.99), latencies.of('l2', 0.99)], [null, null])
  times.of('get', 'l2').observe(7)
  latencies.look()
  t.same(latencies.ofReads(0.99), { aboveMs: 1_000, upToMs: null })
})

t.test('reads what /metrics shows', async t => {
  const { metrics, values, hits } = await watched()
  const registry = new Registry()
  bindPromClient(metrics, registry)
  metrics.gauge({ name: 'cache_entries', help: 'entries', collect: gauge => gauge.of().set(42) })
  hits.of('l1', 'weather').inc(3)
  await values.refresh('cache_entries', 'nobody_knows')
  t.equal(values.sum('cache_entries'), 42)
  t.match(await registry.metrics(), /cache_hits_total\{cache_type="l1",entity_type="weather"\} 3/)
  t.same(values.lines('cache_hits_total'), [{ labels: { cache_type: 'l1', entity_type: 'weather' }, value: 3 }])
  t.equal(values.sum('nobody_knows'), 0)
  t.same(values.counted('nobody_knows'), { bounds: [], counts: [] })
})
