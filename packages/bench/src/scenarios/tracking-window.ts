import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import { heldBytes } from '../held-bytes.ts'
import type { Candidate, Scenario } from '../scenario.ts'

interface Filled { truth: number, value: number, coldMs: number, days: number }

/** What a count over many days costs, and what a metric takes in a year. */
export const trackingWindow: Scenario = {
  name: 'tracking-window',
  about: 'distinct users of 400 days of 2,000 users each, by one caller: coldMs is the first count of the process, warmMs the median of those that follow, bytesAYear what 365 of the days take of Redis',
  unit: 'opsPerSecond',
  candidates: [candidate('pfcount', 0.03), candidate('sets', 0), candidate('respite', 0.03)],
  targets: []
}

/** @param error - how far a count may be off, as a share */
function candidate (name: string, error: number): Candidate {
  const figures = { coldMs: 0, bytesAYear: 0, errorPercent: 0 }
  return crewCandidate({
    name,
    program: `candidates/tracking-window/${name}.mjs`,
    env: {},
    processes: 1,
    async prepare (crew) {
      const [{ truth, value, coldMs, days }] = await crew.ask<Filled>('fill', { nowMs: Date.now() }) as [Filled]
      if (!(Math.abs(value / truth - 1) <= error)) throw new Error(`${name} counted ${value} of ${truth}`)
      figures.coldMs = coldMs
      figures.bytesAYear = await heldBytes(crew.redis, await crew.redis.keys('*')) / days * 365
      figures.errorPercent = 100 * Math.abs(value / truth - 1)
    },
    async measure (crew, seconds) {
      const measured = await measure(crew, seconds)
      return { ...measured, figures: { ...figures, ...measured.figures } }
    }
  })
}

async function measure (crew: Crew, seconds: number): Promise<Measured> {
  const [measured] = await crew.ask<Measured>('counts', { seconds })
  return measured!
}
