import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

/** What a message costs on its way through Redis. */
export const bus: Scenario = {
  name: 'bus',
  about: 'messages of 100 bytes from one publisher to 1 or 100 subscribers of one process, 64 on their way; p99 is from the call to the listener; an operation is a message',
  unit: 'opsPerSecond',
  candidates: [1, 100].flatMap(subscribers => [
    candidate('publish', `publish-${subscribers}`, subscribers, false),
    candidate('respite', `respite-${subscribers}`, subscribers, false),
    candidate('respite', `respite-durable-${subscribers}`, subscribers, true)
  ]),
  targets: []
}

function candidate (program: string, name: string, subscribers: number, durable: boolean): Candidate {
  return crewCandidate({
    name,
    program: `candidates/bus/${program}.mjs`,
    env: { BENCH_SUBSCRIBERS: String(subscribers), BENCH_DURABLE: durable ? '1' : '0' },
    processes: 1,
    prepare: async crew => { await talk(crew, 0.1) },
    measure: talk
  })
}

async function talk (crew: Crew, seconds: number): Promise<Measured> {
  const [measured] = await crew.ask<Measured>('talk', { seconds })
  return measured!
}
