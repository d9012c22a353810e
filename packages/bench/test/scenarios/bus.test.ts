import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { bus } from '../../src/scenarios/bus.ts'

// A minute of two cores.
const skip = process.env.RESPITE_BENCHES !== 'all' && 'RESPITE_BENCHES=all runs it'

const options = { rounds: 1, seconds: 0.2, warmupSeconds: 0.1, seed: 1, only: [], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('every way to talk is measured', { skip }, async t => {
  const { results } = await runScenario(bus, options)
  t.same(Object.keys(results).length, 6)
  for (const [name, { opsPerSecond, p99Ms }] of Object.entries(results)) t.ok(opsPerSecond! > 0 && p99Ms! > 0, `${name}: ${opsPerSecond} a second`)
})
