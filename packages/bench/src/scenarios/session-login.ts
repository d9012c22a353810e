import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

const callers = 64
/** In turn: each login ends the one that its user had. */
const users = 1_000

/** What a login costs, which is a transaction that ends the earlier session. */
export const sessionLogin: Scenario = {
  name: 'session-login',
  about: `logins by ${callers} concurrent callers of ${users} users in turn, with 4 KB of data; each ends the user's session before`,
  unit: 'opsPerSecond',
  candidates: [candidate('respite-sqlite', 'sqlite'), candidate('respite-postgres', 'postgres'), candidate('respite-none', 'none')],
  targets: []
}

function candidate (name: string, durable: string): Candidate {
  return crewCandidate({
    name,
    program: 'candidates/session/logins.mjs',
    env: { BENCH_DURABLE: durable },
    processes: 1,
    prepare,
    async measure (crew, seconds) {
      const [measured] = await crew.ask<Measured>('logins', { seconds, callers, users })
      const [store] = await crew.ask<string>('durable')
      return { ...measured!, note: `over ${store}` }
    }
  })
}

/** @throws Error when a login leaves another session of its user, or none */
async function prepare (crew: Crew): Promise<void> {
  await crew.ask('logins', { seconds: 0.2, callers, users: 3 })
  const [active] = await crew.ask<number[]>('active', { users: 3 })
  if (active!.join() !== '1,1,1') throw new Error(`after many logins of three users they have ${active!.join()} sessions`)
}
