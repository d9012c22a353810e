import { randomInt } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Command, usage } from './command-line.ts'
import { type Drill, runDrill } from './drill.ts'
import { runScenario } from './run-scenario.ts'
import type { Scenario } from './scenario.ts'

/** What can be run, and where the text goes. */
export interface House {
  scenarios: readonly Scenario[]
  drills: readonly Drill[]
  print (text: string): void
}

/**
 * Runs what the command line asked for.
 * @returns the exit code: 0, 1 for a drill that found something broken, 2 for a name that does not exist
 */
export async function runCommand (command: Command, house: House): Promise<number> {
  const { kind, name } = command
  const known: readonly (Scenario | Drill)[] = kind === 'drill' ? house.drills : house.scenarios
  if (name === undefined) {
    house.print(`${usage}\n\n${kind}s:\n${known.map(one => `  ${one.name.padEnd(20)}${one.about}`).join('\n')}`)
    return 0
  }
  if (name !== 'all' && !known.some(one => one.name === name)) {
    house.print(`no ${kind} is named '${name}'; there are: ${known.map(one => one.name).join(', ')}`)
    return 2
  }
  const wanted = (one: { name: string }) => name === 'all' || one.name === name
  return kind === 'drill'
    ? await runDrills(house.drills.filter(wanted), command, house.print)
    : await runScenarios(house.scenarios.filter(wanted), command, house.print)
}

async function runScenarios (scenarios: readonly Scenario[], command: Command, print: House['print']): Promise<number> {
  const { quick, json, seed = randomInt(2 ** 32), profile } = command
  const { rounds = quick ? 3 : 7, seconds = quick ? 2 : 8, only } = command
  if (profile !== undefined) mkdirSync(resolve(profile), { recursive: true })
  const nodeArguments = profile === undefined ? [] : ['--cpu-prof', `--cpu-prof-dir=${resolve(profile)}`]
  for (const scenario of scenarios) {
    const result = await runScenario(scenario, { rounds, seconds, warmupSeconds: Math.min(3, seconds), seed, only, nodeArguments, print })
    if (json) print(JSON.stringify(result))
  }
  return 0
}

async function runDrills (drills: readonly Drill[], command: Command, print: House['print']): Promise<number> {
  const { quick, operations, seconds, seed = randomInt(2 ** 32) } = command
  let broken = 0
  for (const drill of drills) {
    print(`--seed ${seed}`)
    const result = await runDrill(drill, { quick, seed, operations, seconds, print })
    if (!result.ok) broken++
    print(JSON.stringify(result))
  }
  return broken > 0 ? 1 : 0
}
