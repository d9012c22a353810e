import { parseArgs } from 'node:util'

/** What the command line asked for. */
export interface Command {
  kind: 'scenario' | 'drill'
  /** Undefined: list what there is. */
  name: string | undefined
  json: boolean
  quick: boolean
  seed: number | undefined
  rounds: number | undefined
  seconds: number | undefined
  operations: number | undefined
  only: readonly string[]
  /** Folder for CPU profiles of the candidates' servers. */
  profile: string | undefined
}

export const usage = `npm run bench -- <scenario | all> [options]     npm run drill -- <name | all> [options]

  --quick             fewer and shorter rounds
  --json              the last line is the result as one JSON object
  --seed <n>          order of the rounds, and the choices of a drill
  --rounds <n>        measurements of each candidate
  --seconds <n>       length of one measurement, or of a drill
  --ops <n>           operations of a drill
  --only <a,b>        these candidates only
  --profile <folder>  writes a CPU profile of each candidate's server`

/** @throws TypeError for an option that does not exist or has no such value */
export function parseCommandLine (argv: readonly string[]): Command {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: {
      drill: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      quick: { type: 'boolean', default: false },
      seed: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      ops: { type: 'string' },
      only: { type: 'string' },
      profile: { type: 'string' }
    }
  })
  if (positionals.length > 1) throw new TypeError(`one name at a time, got: ${positionals.join(' ')}`)
  return {
    kind: values.drill ? 'drill' : 'scenario',
    name: positionals[0],
    json: values.json,
    quick: values.quick,
    seed: whole('--seed', values.seed, 0),
    rounds: whole('--rounds', values.rounds, 1),
    seconds: positive('--seconds', values.seconds),
    operations: whole('--ops', values.ops, 1),
    only: values.only?.split(',').filter(name => name !== '') ?? [],
    profile: values.profile
  }
}

function whole (option: string, given: string | undefined, least: number): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  if (!Number.isSafeInteger(value) || value < least) throw new TypeError(`${option} takes a whole number from ${least}, got '${given}'`)
  return value
}

function positive (option: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined
  const value = Number(given)
  if (!(value > 0 && value <= 86_400)) throw new TypeError(`${option} takes a number above 0, got '${given}'`)
  return value
}
