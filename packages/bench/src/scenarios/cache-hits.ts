import { cacheCandidate } from '../cache-candidate.ts'
import type { Crew, Measured } from '../crew-candidate.ts'
import type { Candidate, Scenario } from '../scenario.ts'

/** `keys`: how many a read asks for; undefined: one. */
interface Hits { callers: number, entries: number, alternate: boolean, local: boolean, tags: readonly string[], keys?: number }

const localHits: Hits = { callers: 1, entries: 5_000, alternate: true, local: true, tags: [] }
const redisHits: Hits = { callers: 64, entries: 1_000, alternate: false, local: false, tags: ['bench:a', 'bench:b', 'bench:c'] }

/** What a copy in the process costs. */
export const cacheHit: Scenario = {
  name: 'cache-hit',
  about: 'get and getOrSet in turn by one caller on entries of 500 bytes that lie in the process, and what an entry takes of its memory',
  unit: 'opsPerSecond',
  candidates: ['lru-cache', 'bentocache', 'cache-manager', 'async-cache-dedupe', 'respite'].map(name => candidate(name, localHits)),
  targets: [{ over: 'lru-cache', atLeast: 0.33 }, { over: 'bentocache', atLeast: 2 }, { over: 'cache-manager', atLeast: 2 }, { over: 'async-cache-dedupe', atLeast: 2 }]
}

/** What an entry in Redis costs. */
export const cacheL2: Scenario = {
  name: 'cache-l2',
  about: 'getOrSet by 64 concurrent callers on entries of 500 bytes with three tags that lie in Redis and not in the process; cache-manager has no tags',
  unit: 'opsPerSecond',
  candidates: ['bentocache', 'cache-manager', 'async-cache-dedupe', 'respite'].map(name => candidate(name, redisHits)),
  targets: [{ over: 'bentocache', atLeast: 1.5 }]
}

/** What many entries in Redis cost, asked for at once. */
export const cacheL2Many: Scenario = {
  name: 'cache-l2-many',
  about: 'getMany of 100 entries by 4 concurrent callers, otherwise as cache-l2; an operation is an entry',
  unit: 'opsPerSecond',
  candidates: ['bentocache', 'cache-manager', 'respite'].map(name => candidate(name, { ...redisHits, callers: 4, keys: 100 })),
  targets: [{ over: 'bentocache', atLeast: 1.5 }]
}

function candidate (name: string, hits: Hits): Candidate {
  let bytesPerEntry = 0
  return cacheCandidate({
    name,
    processes: 1,
    local: hits.local,
    tags: hits.tags,
    async prepare (crew) {
      const [filled] = await crew.ask<{ runs: number, bytesPerEntry: number }>('fill', { entries: hits.entries })
      if (filled!.runs !== hits.entries) throw new Error(`${name} ran ${filled!.runs} factories for ${hits.entries} entries`)
      bytesPerEntry = filled!.bytesPerEntry
    },
    measure: async (crew, seconds) => ({ ...await measure(crew, hits, seconds), ...hits.local && { figures: { bytesPerEntry } } })
  })
}

async function measure (crew: Crew, { callers, entries, alternate, keys }: Hits, seconds: number): Promise<Measured> {
  const [measured] = keys === undefined ? await crew.ask<Measured>('hits', { seconds, callers, entries, alternate }) : await crew.ask<Measured>('many', { seconds, callers, entries, keys })
  return measured!
}
