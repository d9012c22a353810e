import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import { heldBytes } from '../held-bytes.ts'
import type { Candidate, Scenario } from '../scenario.ts'

interface Filled { missedOf100: number, falseBounds: number }

/** The most frequent of a million, after so many events. */
export const topOf = (events: number): Scenario => ({
  name: 'tracking-top',
  about: `events of a million users under Zipf 1.1; missedOf100 and heldBytes after ${events / 1e6} million events: who of the true top 100 is not listed, and what all keys take of Redis`,
  unit: 'opsPerSecond',
  candidates: [candidate('zincrby', events), candidate('respite', events)],
  targets: [],
  bounds: [{ candidate: 'respite', figure: 'missedOf100', atMost: 1 }, { candidate: 'respite', figure: 'falseBounds', atMost: 0 }]
})

/** What knowing the most frequent takes, beside counting everybody. */
export const trackingTop = topOf(1_000_000)

function candidate (name: string, events: number): Candidate {
  const figures = { missedOf100: 0, falseBounds: 0, heldBytes: 0 }
  return crewCandidate({
    name,
    program: `candidates/tracking-top/${name}.mjs`,
    env: {},
    processes: 1,
    async prepare (crew) {
      Object.assign(figures, (await crew.ask<Filled>('fill', { events }))[0])
      figures.heldBytes = await heldBytes(crew.redis, await crew.redis.keys('*'))
    },
    measure: async (crew, seconds) => ({ ...await measure(crew, seconds), figures })
  })
}

async function measure (crew: Crew, seconds: number): Promise<Measured> {
  const [measured] = await crew.ask<Measured>('events', { seconds })
  return measured!
}
