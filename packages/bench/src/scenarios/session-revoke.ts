import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import { percentile } from '../drills/cache-history-checker.ts'
import type { Candidate, Scenario } from '../scenario.ts'

const processes = 2

/** How long a copy in a process outlives its session. */
export const sessionRevoke: Scenario = {
  name: 'session-revoke',
  about: `one process revokes a session that ${processes - 1} other asks for without a pause: late is the time from the revoke's end to the begin of the last request that was accepted, 0 if none was`,
  unit: 'opsPerSecond',
  candidates: [candidate('respite', false), candidate('respite-l1', true)],
  targets: [],
  bounds: [{ candidate: 'respite', figure: 'lateMaxMs', atMost: 0 }, { candidate: 'respite-l1', figure: 'lateP99Ms', atMost: 5 }]
}

function candidate (name: string, l1: boolean): Candidate {
  return crewCandidate({
    name,
    program: 'candidates/session/revoked.mjs',
    env: l1 ? { BENCH_L1: '1' } : {},
    processes,
    async prepare (crew) { await late(crew) },
    measure
  })
}

async function measure (crew: Crew, seconds: number): Promise<Measured> {
  const times: number[] = []
  const from = performance.now()
  const endsAt = from + 1_000 * seconds
  while (performance.now() < endsAt) times.push(await late(crew))
  const figures = { lateP50Ms: percentile(times, 0.5), lateP99Ms: percentile(times, 0.99), lateMaxMs: Math.max(...times) }
  return { operations: times.length, seconds: (performance.now() - from) / 1_000, p99Ms: figures.lateP99Ms, figures }
}

/** A session begins, is asked for elsewhere, and ends. */
async function late ({ children }: Crew): Promise<number> {
  const [revoker, ...watchers] = children
  const userId = 'ada'
  const { token } = await revoker!.ask({ question: 'login', userId }) as { token: string }
  await Promise.all(watchers.map(watcher => watcher.ask({ question: 'watch', token })))
  const revokedMs = await revoker!.ask({ question: 'revoke', userId }) as number
  const accepted = await Promise.all(watchers.map(watcher => watcher.ask({ question: 'lastAcceptMs' }) as Promise<number>))
  return Math.max(0, ...accepted.map(acceptedMs => acceptedMs - revokedMs))
}
