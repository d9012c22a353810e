import t from 'tap'
import { runScenario } from '../../src/run-scenario.ts'
import { cacheRoute } from '../../src/scenarios/cache-route.ts'

const options = { rounds: 1, seconds: 0.2, warmupSeconds: 0.1, seed: 1, only: [], nodeArguments: [], print: (text: string) => { t.comment(text) } }

t.test('a cached route answers what its handler would', async t => {
  const { results } = await runScenario(cacheRoute, options)
  for (const [name, { rps }] of Object.entries(results)) t.ok(rps! > 0, `${name} answered ${rps} a second`)
})
