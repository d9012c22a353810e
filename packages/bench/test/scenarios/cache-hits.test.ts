import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { cacheHit, cacheL2 } from '../../src/scenarios/cache-hits.ts'

// A minute of two cores.
const skip = process.env.RESPITE_BENCHES !== 'all' && 'RESPITE_BENCHES=all runs it'

const options = { rounds: 1, seconds: 0.2, warmupSeconds: 0.1, seed: 1, only: [], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('hits in the process: candidates cache, and none asks Redis', { skip }, async t => {
  const { results } = await runScenario(cacheHit, { ...options, only: ['lru-cache', 'respite'] })
  for (const [name, { opsPerSecond, bytesPerEntry }] of Object.entries(results)) t.ok(opsPerSecond! > 0 && bytesPerEntry! > 0, `${name}: ${opsPerSecond} a second, ${bytesPerEntry} bytes`)
  // A heartbeat or two of the link in so short a time.
  t.ok(results.respite!.redisCallsPerRequest! < 0.001, `respite sent ${results.respite!.redisCallsPerRequest} commands a hit`)
})

t.test('hits in Redis are asked for', { skip }, async t => {
  const { results } = await runScenario(cacheL2, { ...options, only: ['respite'] })
  for (const [name, { opsPerSecond, redisCallsPerRequest }] of Object.entries(results)) {
    t.ok(opsPerSecond! > 0 && redisCallsPerRequest! > 0.3, `${name}: ${opsPerSecond} a second, ${redisCallsPerRequest} commands each`)
  }
})
