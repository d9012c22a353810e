import { type CrewCandidate, crewCandidate } from './crew-candidate.ts'
import type { Candidate } from './scenario.ts'

/** A cache library of `candidates/cache/<name>.mjs`. */
export interface CacheCandidate extends Omit<CrewCandidate, 'program' | 'env'> {
  /** Whether it may keep copies in its process. */
  local: boolean
  tags: readonly string[]
}

/** Makes a candidate out of a cache library. */
export function cacheCandidate ({ local, tags, ...candidate }: CacheCandidate): Candidate {
  const env = { BENCH_LOCAL: local ? '1' : '0', ...tags.length > 0 && { BENCH_TAGS: tags.join(',') } }
  return crewCandidate({ ...candidate, program: `candidates/cache/${candidate.name}.mjs`, env })
}
