import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { ratelimit } from '../../src/scenarios/ratelimit.ts'
import { floodOf } from '../../src/scenarios/ratelimit-flood.ts'
import { ratelimitRefuse } from '../../src/scenarios/ratelimit-refuse.ts'

// A minute of two cores.
const skip = process.env.RESPITE_BENCHES !== 'all' && 'RESPITE_BENCHES=all runs it'

const options = { rounds: 1, seconds: 0.2, warmupSeconds: 0.1, seed: 1, only: [], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('checks of one limit, and of four: a log takes a third of a sorted set', { skip }, async t => {
  const { results } = await runScenario(ratelimit, { ...options, only: ['empty-script', 'sorted-set', 'respite', 'respite-4'] })
  for (const [name, { opsPerSecond }] of Object.entries(results)) t.ok(opsPerSecond! > 0, `${name}: ${opsPerSecond} a second`)
  t.ok(results.respite!.bytesAt100! <= results['sorted-set']!.bytesAt100! / 3)
  t.ok(results.respite!.bytesAt1000! <= results['sorted-set']!.bytesAt1000! / 10)
})

t.test('a refused client is refused without a call', { skip }, async t => {
  const { results } = await runScenario(ratelimitRefuse, options)
  for (const [name, { opsPerSecond, redisCallsPerRequest }] of Object.entries(results)) {
    // A heartbeat or two of the link in so short a time.
    t.ok(opsPerSecond! > 0 && redisCallsPerRequest! < 0.01, `${name}: ${opsPerSecond} a second, ${redisCallsPerRequest} commands each`)
  }
})

t.test('a flood of keys stays within 64 MiB and frees nobody who was refused', { skip }, async t => {
  const { results } = await runScenario(floodOf(200_000), { ...options, only: ['respite'] })
  const { heldMiB, blockedReset } = results.respite!
  t.ok(heldMiB! > 0 && heldMiB! <= 64, `${heldMiB} MiB`)
  t.equal(blockedReset, 0)
})
