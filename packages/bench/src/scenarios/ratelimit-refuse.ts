import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

/** Those who are refused. */
const subjects = 1_000

/** What a refused client costs. */
export const ratelimitRefuse: Scenario = {
  name: 'ratelimit-refuse',
  about: 'checks by one caller of limits that are used up; respite-limiter is the limiter without hook, headers and body',
  unit: 'opsPerSecond',
  candidates: ['rate-limiter-flexible', 'respite', 'respite-limiter'].map(candidate),
  targets: []
}

function candidate (name: string): Candidate {
  return crewCandidate({
    name,
    program: `candidates/ratelimit-refuse/${name}.mjs`,
    env: {},
    processes: 1,
    prepare: async crew => { await crew.ask('fill', { units: subjects }) },
    measure
  })
}

async function measure (crew: Crew, seconds: number): Promise<Measured> {
  const [measured] = await crew.ask<Measured>('checks', { seconds, callers: 1, subjects, admitted: false })
  return measured!
}
