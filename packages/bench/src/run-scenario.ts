import { type ScenarioResult, resultOf } from './result.ts'
import type { Sample, Scenario, Subject } from './scenario.ts'
import { roundOrders } from './rounds.ts'
import { scenarioReport } from './scenario-report.ts'

export interface RunOptions {
  rounds: number
  /** Length of one measurement. */
  seconds: number
  warmupSeconds: number
  /** Of the order of the rounds. */
  seed: number
  /** Names of candidates; empty: all. */
  only: readonly string[]
  nodeArguments: readonly string[]
  print (text: string): void
}

/**
 * Starts all candidates, measures them round by round in changing order, and prints the tables.
 * @throws RangeError for a candidate that the scenario does not have
 */
export async function runScenario (scenario: Scenario, options: RunOptions): Promise<ScenarioResult> {
  const { rounds, seconds, seed, print } = options
  const candidates = chosen(scenario, options.only)
  print(`${scenario.name}: ${scenario.about}`)
  print(`${rounds} rounds of ${seconds} s for each candidate, order by --seed ${seed}`)
  const subjects = new Map<string, Subject>()
  const samples = new Map<string, Sample[]>(candidates.map(({ name }) => [name, []]))
  try {
    for (const candidate of candidates) {
      print(`starting ${candidate.name}`)
      subjects.set(candidate.name, await candidate.start(options))
    }
    for (const [round, order] of roundOrders([...subjects.keys()], rounds, seed).entries()) {
      for (const name of order) samples.get(name)!.push(await subjects.get(name)!.measure(seconds))
      const rates = order.map(name => `${name} ${Math.round(samples.get(name)!.at(-1)!.perSecond)}`)
      print(`round ${round + 1}: ${rates.join(', ')}`)
    }
  } finally {
    for (const subject of subjects.values()) await subject.stop()
  }
  print(`\n${scenarioReport(scenario, samples)}`)
  return resultOf(scenario, samples)
}

function chosen ({ name, candidates }: Scenario, only: readonly string[]) {
  const unknown = only.find(wanted => !candidates.some(candidate => candidate.name === wanted))
  if (unknown !== undefined) throw new RangeError(`${name} has no candidate '${unknown}'; it has ${candidates.map(candidate => candidate.name).join(', ')}`)
  return only.length === 0 ? candidates : candidates.filter(candidate => only.includes(candidate.name))
}
