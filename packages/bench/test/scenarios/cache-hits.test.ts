import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { cacheHit, cacheL2 } from '../../src/scenarios/cache-hits.ts'

const options = { rounds: 1, seconds: 0.2, warmupSeconds: 0.1, seed: 1, only: [], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('hits in the process: every candidate caches, and none asks Redis', async t => {
  const { results } = await runScenario(cacheHit, options)
  t.same(Object.keys(results), ['lru-cache', 'bentocache', 'cache-manager', 'async-cache-dedupe', 'respite'])
  for (const [name, { opsPerSecond, bytesPerEntry }] of Object.entries(results)) t.ok(opsPerSecond! > 0 && bytesPerEntry! > 0, `${name}: ${opsPerSecond} a second, ${bytesPerEntry} bytes`)
  // A heartbeat or two of the link in so short a time.
  t.ok(results.respite!.redisCallsPerRequest! < 0.001, `respite sent ${results.respite!.redisCallsPerRequest} commands a hit`)
})

t.test('hits in Redis: every candidate asks for them', async t => {
  const { results } = await runScenario(cacheL2, options)
  for (const [name, { opsPerSecond, redisCallsPerRequest }] of Object.entries(results)) {
    t.ok(opsPerSecond! > 0 && redisCallsPerRequest! > 0.3, `${name}: ${opsPerSecond} a second, ${redisCallsPerRequest} commands each`)
  }
})
