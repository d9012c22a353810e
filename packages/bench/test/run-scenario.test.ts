import t from 'tap'
import { type RunOptions, runScenario } from '../src/run-scenario.ts'
import type { Candidate, Scenario } from '../src/scenario.ts'

/** A candidate that notes what happens to it; its rate is fixed. */
function fake (name: string, perSecond: number, events: string[], breaks = false): Candidate {
  return {
    name,
    async start () {
      events.push(`start ${name}`)
      return {
        async measure () {
          events.push(`measure ${name}`)
          if (breaks) throw new Error(`${name} broke`)
          return { perSecond, p99Ms: 1, redisCallsPerRequest: 0 }
        },
        async stop () { events.push(`stop ${name}`) }
      }
    }
  }
}

const scenario = (...candidates: Candidate[]): Scenario => ({ name: 'fake', about: 'fakes beside fakes', unit: 'rps', candidates, targets: [] })

const options = (more: Partial<RunOptions> = {}): RunOptions & { printed: string[] } => {
  const printed: string[] = []
  return { rounds: 3, seconds: 0.01, warmupSeconds: 0, seed: 5, only: [], nodeArguments: [], print: text => { printed.push(text) }, printed, ...more }
}

t.test('candidates are measured in turns, all of them before anyone is measured again', async t => {
  const events: string[] = []
  const given = options()
  const result = await runScenario(scenario(fake('bare', 100, events), fake('respite', 50, events)), given)
  t.same(events.filter(event => event.startsWith('start')), ['start bare', 'start respite'])
  const measured = events.filter(event => event.startsWith('measure'))
  t.equal(measured.length, 6)
  for (let round = 0; round < 3; round++) t.equal(new Set(measured.slice(2 * round, 2 * round + 2)).size, 2)
  t.same(result, {
    scenario: 'fake',
    results: { bare: { rps: 100, p99Ms: 1, redisCallsPerRequest: 0 }, respite: { rps: 50, p99Ms: 1, redisCallsPerRequest: 0 } },
    ratios: { 'respite/bare': 0.5 }
  })
  t.match(given.printed.join('\n'), /--seed 5/)
})

t.test('a candidate that breaks ends the run, and all are stopped', async t => {
  const events: string[] = []
  await t.rejects(runScenario(scenario(fake('bare', 100, events), fake('peers', 1, events, true)), options()), /peers broke/)
  t.same(events.filter(event => event.startsWith('stop')), ['stop bare', 'stop peers'])
})

t.test('some of the candidates can be chosen by name, and only by a name that is there', async t => {
  const events: string[] = []
  const both = scenario(fake('bare', 100, events), fake('respite', 50, events))
  t.same(Object.keys((await runScenario(both, options({ only: ['respite'] }))).results), ['respite'])
  await t.rejects(runScenario(both, options({ only: ['respit'] })), /no candidate 'respit'; it has bare, respite/)
})
