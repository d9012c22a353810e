import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { suite } from '../../src/scenarios/suite.ts'

t.test('every candidate does its duties and answers under load', async t => {
  const printed: string[] = []
  const result = await runScenario(suite, {
    rounds: 1, seconds: 1, warmupSeconds: 0.2, seed: 1, only: [], nodeArguments: [], print: text => { printed.push(text) }
  })
  t.same(Object.keys(result.results), ['bare', 'redis1', 'peers', 'respite'])
  for (const [name, { rps, p99Ms }] of Object.entries(result.results)) {
    t.ok(rps! > 0 && p99Ms! > 0, `${name} answered ${rps} a second, p99 ${p99Ms} ms`)
  }
  t.same(Object.keys(result.ratios), ['respite/bare', 'respite/redis1', 'respite/peers'])
  t.equal(result.results.bare!.redisCallsPerRequest, 0)
  // Requests are on their way at both ends, which on a busy machine are many of those that a second sees.
  t.ok(Math.abs(result.results.redis1!.redisCallsPerRequest! - 1) < 0.3, 'redis1 asks once')
  t.ok(Math.abs(result.results.peers!.redisCallsPerRequest! - 4) < 1, 'the peers read and write the session, count the limit and the caller')
  t.match(printed.join('\n'), /peers: Redis commands a request: .*within scripts: .*incr/)
})
