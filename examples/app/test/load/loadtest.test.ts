import t from 'tap'
import { serve } from '../journeys/server.ts'
import { runScript } from './k6/run.ts'

t.test('its thresholds are on p95 and the hit rate, over metrics and scenarios that exist', async t => {
  const { url } = await serve(t)
  const { options, metrics, expected } = await runScript(t, url, 'weather', 0)
  t.strictSame(options.thresholds['http_req_duration{scenario:weather}'], ['p(95)<200'])
  t.strictSame(options.thresholds.cache_hits, ['rate>=0.9'])
  const known = [...Object.keys(metrics), 'http_req_failed', 'checks', ...Object.keys(options.scenarios).map(name => `http_req_duration{scenario:${name}}`)]
  t.strictSame(Object.keys(options.thresholds).filter(name => !known.includes(name)), [])
  t.strictSame(expected, [{ min: 200, max: 299 }, 429])
})

t.test('weather: a miss for each of ten places, then hits', async t => {
  const { url } = await serve(t)
  const { metrics, checks } = await runScript(t, url, 'weather', 25)
  t.strictSame(metrics.cache_hits, [...Array(10).fill(0), ...Array(15).fill(1)])
  t.strictSame(checks, { 'the weather of that place': Array(25).fill(true) })
})

t.test('entries: a minute of turns stays within the limit, and each write is seen', async t => {
  const { url } = await serve(t)
  const { options } = await runScript(t, url, 'entries', 0)
  const { metrics, checks } = await runScript(t, url, 'entries', options.scenarios.entries.rate)
  t.strictSame(metrics.limited, [])
  t.equal(metrics.entry_duration!.length, 66)
  t.strictSame(checks['a write is seen by the next read'], Array(6).fill(true))
  t.ok(checks['an entry or a list of them']!.every(Boolean))
})

t.test('entries beyond the limit are counted as refused, and not among the durations', async t => {
  const { url } = await serve(t)
  const { metrics, checks } = await runScript(t, url, 'entries', 60)
  t.equal(metrics.entry_duration!.length, 100)
  t.ok(metrics.limited!.length > 0)
  t.ok(checks['a refusal says when to come back']!.every(Boolean))
})
