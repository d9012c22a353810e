import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { cacheStampede } from '../../src/scenarios/cache-stampede.ts'

// A minute of two cores.
const skip = process.env.RESPITE_BENCHES !== 'all' && 'RESPITE_BENCHES=all runs it'

const options = { rounds: 1, seconds: 0.2, warmupSeconds: 0.1, seed: 1, only: [], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('a stampede of eight processes: the factory of ours runs once', { skip }, async t => {
  const { results } = await runScenario(cacheStampede, { ...options, only: ['respite'] })
  t.match(results.respite, { factoryRuns: 1 })
})
