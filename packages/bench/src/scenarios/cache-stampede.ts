import { cacheCandidate } from '../cache-candidate.ts'
import type { Measured } from '../crew-candidate.ts'
import { percentile } from '../drills/cache-history-checker.ts'
import type { Candidate, Scenario } from '../scenario.ts'

const processes = 8
const callers = 500
const factoryMs = 200

/** What a missing key that everybody wants costs the database, and those who wait. */
export const cacheStampede: Scenario = {
  name: 'cache-stampede',
  about: `${processes} processes of ${callers} callers each want one missing key at once, whose factory takes ${factoryMs} ms`,
  unit: 'opsPerSecond',
  candidates: ['bentocache', 'cache-manager', 'async-cache-dedupe', 'respite'].map(candidate),
  targets: []
}

function candidate (name: string): Candidate {
  let stampedes = 0
  return cacheCandidate({
    name,
    processes,
    local: name !== 'async-cache-dedupe', // memory or Redis: in memory no process would see what another has filled
    tags: [],
    prepare: async () => undefined,
    async measure (crew, seconds) {
      const startedAt = performance.now()
      const times: number[] = []
      let [runs, count] = [0, 0]
      do {
        const answers = await crew.ask<{ times: number[], runs: number }>('stampede', { key: `missing:${++stampedes}`, callers, factoryMs })
        for (const answer of answers) {
          times.push(...answer.times)
          runs += answer.runs
        }
        count++
      } while (performance.now() - startedAt < seconds * 1_000)
      return measuredOf({ times, runs, count, seconds: (performance.now() - startedAt) / 1_000 })
    }
  })
}

function measuredOf ({ times, runs, count, seconds }: { times: number[], runs: number, count: number, seconds: number }): Measured {
  const p99Ms = percentile(times, 0.99)
  return { operations: times.length, seconds, p99Ms, figures: { factoryRuns: runs / count, p99BeyondFactoryMs: p99Ms - factoryMs } }
}
