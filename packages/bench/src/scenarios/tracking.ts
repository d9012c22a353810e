import { until } from '@respite/testing'
import { parseCommandStats } from '../command-stats.ts'
import { httpCandidate, type PreparedServer } from '../http-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

const path = '/work'
const users = 10_000
const perSecond = 1_000

/** What counting the callers of a route costs. */
export const tracking: Scenario = {
  name: 'tracking',
  about: `a route of 500 bytes, asked ${perSecond} times a second by ${users} users in turn: not tracked, with a PFADD a request, and tracked; observeMicros is what counting takes before the caller goes on`,
  unit: 'rps',
  candidates: [candidate('bare'), candidate('pfadd'), candidate('respite')],
  targets: [],
  bounds: [
    { candidate: 'respite', figure: 'observeMicros', atMost: 1 },
    { candidate: 'respite', figure: 'flushesPerRequest', atMost: 0.02 },
    { candidate: 'respite', figure: 'p99Ms', atMost: 0.1, beyond: 'bare' }
  ]
}

function candidate (name: string): Candidate {
  const counts = name !== 'bare'
  return httpCandidate({
    name,
    module: `candidates/tracking/${name}.mjs`,
    redis: counts,
    path,
    paced: { perSecond, users },
    prepare: server => prepare(server, counts),
    ...name === 'respite' && { counters: { flushesPerRequest: flushes } },
    ...counts && { figures: async ({ ask }) => ({ observeMicros: Number(await ask('observeMicros')) }) }
  })
}

/** What counting sends: the other commands are the heartbeats of the link. */
async function flushes ({ redis }: PreparedServer): Promise<number> {
  const commands = parseCommandStats(await redis!.info('commandstats'))
  return ['eval', 'evalsha'].reduce((sum, name) => sum + (commands.get(name)?.calls ?? 0), 0)
}

/** @throws Error when its callers are not counted */
async function prepare ({ origin, ask }: PreparedServer, counts: boolean): Promise<readonly string[]> {
  for (const user of ['a', 'b', 'a', 'c']) {
    const response = await fetch(origin + path, { headers: { 'x-user': user } })
    if (response.status !== 200 || (await response.text()).length !== 500) throw new Error(`answered ${response.status}, or not with 500 bytes`)
  }
  if (counts) await until('three users to be counted', async () => await ask('callers') === 3)
  return []
}
