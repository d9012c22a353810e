import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import { heldBytes } from '../held-bytes.ts'
import type { Candidate, Scenario } from '../scenario.ts'

/** Callers walk over so many subjects. */
const subjects = 10_000

const libraries = ['incr', 'incr-pexpire', 'empty-script', 'sorted-set', 'fastify-rate-limit', 'fastify-rate-limit-hook', 'rate-limiter-flexible']

/** What a check in Redis costs. */
export const ratelimit: Scenario = {
  name: 'ratelimit',
  about: 'checks by 64 concurrent callers of one limit and, where the name ends in -4, of four; incr counts and decides nothing, empty-script not even that',
  unit: 'opsPerSecond',
  candidates: candidates(64, [...libraries, 'fastify-rate-limit-4', 'rate-limiter-flexible-4', 'respite-store', 'respite', 'respite-fixed-window', 'respite-sliding-counter', 'respite-gcra', 'respite-4']),
  targets: [{ over: 'fastify-rate-limit-hook', atLeast: 1 }]
}

/** The same without company. */
export const ratelimitAlone: Scenario = {
  name: 'ratelimit-alone',
  about: 'checks by one caller, otherwise as ratelimit',
  unit: 'opsPerSecond',
  candidates: candidates(1, [...libraries, 'fastify-rate-limit-4', 'rate-limiter-flexible-4', 'respite-store', 'respite', 'respite-fixed-window', 'respite-4']),
  targets: [{ over: 'fastify-rate-limit-hook', atLeast: 1 }]
}

function candidates (callers: number, names: readonly string[]): Candidate[] {
  return names.map(name => {
    const [, base, variant = '', four] = /^(incr|empty-script|sorted-set|fastify-rate-limit(?:-hook)?|rate-limiter-flexible|respite(?:-store)?)(?:-(pexpire|fixed-window|sliding-counter|gcra))?(-4)?$/.exec(name)!
    const env = { BENCH_LIMITS: four === undefined ? '1' : '4', ...variant === 'pexpire' ? { BENCH_EXPIRE: '1' } : variant !== '' && { BENCH_ALGORITHM: variant } }
    const bytes: Record<string, number> = {}
    return crewCandidate({
      name,
      program: `candidates/ratelimit/${base}.mjs`,
      env,
      processes: 1,
      async prepare (crew) {
        for (const units of [100, 1_000]) bytes[`bytesAt${units}`] = await bytesOf(crew, units)
      },
      measure: async (crew, seconds) => ({ ...await measure(crew, callers, seconds), figures: bytes })
    })
  })
}

async function measure (crew: Crew, callers: number, seconds: number): Promise<Measured> {
  const [measured] = await crew.ask<Measured>('checks', { seconds, callers, subjects })
  return measured!
}

/** What Redis holds for one subject whose limit is used up. */
async function bytesOf ({ ask, redis }: Crew, units: number): Promise<number> {
  const held = async () => await heldBytes(redis, await redis.keys('*'))
  const before = await held()
  await ask('fill', { units })
  return await held() - before
}
