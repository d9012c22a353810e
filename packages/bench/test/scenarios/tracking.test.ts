import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { tracking } from '../../src/scenarios/tracking.ts'
import { topOf } from '../../src/scenarios/tracking-top.ts'
import { trackingWindow } from '../../src/scenarios/tracking-window.ts'

// A minute of two cores.
const skip = process.env.RESPITE_BENCHES !== 'all' && 'RESPITE_BENCHES=all runs it'

const options = { rounds: 1, seconds: 1, warmupSeconds: 0.2, seed: 1, only: [] as string[], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('a tracked route asks Redis once for many requests, a PFADD once for each', async t => {
  const { results } = await runScenario(tracking, options)
  t.ok(results.respite!.redisCallsPerRequest! < 0.1, `${results.respite!.redisCallsPerRequest}`)
  t.ok(Math.abs(results.pfadd!.redisCallsPerRequest! - 1) < 0.2, `${results.pfadd!.redisCallsPerRequest}`)
  t.ok(results.respite!.observeMicros! > 0 && results.respite!.observeMicros! < results.pfadd!.observeMicros!)
})

t.test('a year of sketches takes less than a year of sets', { skip }, async t => {
  const { results } = await runScenario(trackingWindow, options)
  for (const [name, { opsPerSecond, coldMs, warmMs }] of Object.entries(results)) t.ok(opsPerSecond! > 0 && coldMs! > 0 && warmMs! > 0, name)
  t.ok(results.respite!.bytesAYear! < results.sets!.bytesAYear!)
})

t.test('the top hundred are found in a hundredth of the memory', { skip }, async t => {
  const { results } = await runScenario(topOf(200_000), options)
  t.match(results.respite, { falseBounds: 0 })
  t.ok(results.respite!.heldBytes! < results.zincrby!.heldBytes! / 2)
})
