import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

/** A flood of this many keys, each of which comes once. */
export const floodOf = (keys: number): Scenario => ({
  name: 'ratelimit-flood',
  about: `${keys / 1e6} million keys that come once each, and more while it is measured, in memory with place for 100,000; 1,000 were refused before`,
  unit: 'opsPerSecond',
  candidates: [candidate('fastify-rate-limit', keys), candidate('respite', keys)],
  targets: []
})

/** What a flood of keys takes of a process, and whom it frees. */
export const ratelimitFlood = floodOf(10_000_000)

function candidate (name: string, keys: number): Candidate {
  return crewCandidate({
    name,
    program: `candidates/ratelimit-flood/${name}.mjs`,
    env: {},
    processes: 1,
    prepare: async crew => { await crew.ask('keys', { keys }) },
    measure
  })
}

async function measure (crew: Crew, seconds: number): Promise<Measured> {
  const [measured] = await crew.ask<Measured>('seconds', { seconds })
  return measured!
}
