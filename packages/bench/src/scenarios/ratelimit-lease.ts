import type { Redis } from 'ioredis'
import { parseCommandStats } from '../command-stats.ts'
import { type Crew, crewCandidate, type Measured } from '../crew-candidate.ts'
import { percentile } from '../drills/cache-history-checker.ts'
import type { Candidate, Scenario } from '../scenario.ts'

const processes = 4
const callers = 16
const windowSeconds = 60
const lifetimeSeconds = 2
/** A small limit is asked seldom: shorter measurements say little. */
const pacedSeconds = 40

type Algorithm = 'fixed-window' | 'gcra'
interface Setup { algorithm: Algorithm, limit: number, demand: 'half' | 'full', leased: boolean }
interface Answer { operations: number, admitted: number, times: number[] }

const setups: readonly Setup[] = (['fixed-window', 'gcra'] as const).flatMap(algorithm => [
  { algorithm, limit: 1_000, demand: 'half', leased: false },
  ...[1_000, 100_000].flatMap(limit => (['half', 'full'] as const).map((demand): Setup => ({ algorithm, limit, demand, leased: true })))
])

/** What permits in batches save, and what they cost. */
export const ratelimitLease: Scenario = {
  name: 'ratelimit-lease',
  about: `${processes} processes ask one limit a minute for one key: at half of what it admits, as chance has it, or without a pause; excess is what was admitted beyond the bound, utilisation the share of what it admits or, at half, was asked for; limitCalls are the scripts a request, without what processes say to each other`,
  unit: 'opsPerSecond',
  candidates: setups.map(candidate),
  targets: [],
  bounds: setups.filter(({ leased }) => leased).flatMap(setup => [
    { candidate: nameOf(setup), figure: 'excess', atMost: 0 },
    ...setup.demand === 'half' ? [{ candidate: nameOf(setup), figure: 'limitCalls', atMost: setup.limit === 1_000 ? 0.25 : 0.05 }] : []
  ])
}

function nameOf ({ algorithm, limit, demand, leased }: Setup): string {
  return `respite-${algorithm}-${limit}-${demand}${leased ? '' : '-unleased'}`
}

function candidate (setup: Setup): Candidate {
  const { algorithm, limit, demand, leased } = setup
  let keys = 0
  return crewCandidate({
    name: nameOf(setup),
    program: 'candidates/ratelimit/leased.mjs',
    env: { BENCH_LIMIT: String(limit), BENCH_ALGORITHM: algorithm, ...leased && { BENCH_LEASE: '1' } },
    processes,
    async prepare (crew) { await crew.ask('together', { processes }) },
    measure: (crew, seconds) => measure(crew, setup, { seconds: demand === 'half' && seconds > 1 ? Math.max(pacedSeconds, seconds) : seconds, subject: demand === 'half' ? 'steady' : `new-${keys++}` })
  })
}

async function measure (crew: Crew, setup: Setup, { seconds, subject }: { seconds: number, subject: string }): Promise<Measured> {
  const before = await scriptCalls(crew.redis)
  const from = performance.now()
  const answers = setup.demand === 'half'
    ? await crew.ask<Answer>('paced', { seconds, subject, perSecond: setup.limit / windowSeconds / 2 / processes })
    : await crew.ask<Answer>('flooded', { seconds, subject, callers })
  const took = (performance.now() - from) / 1_000
  const operations = sum(answers, answer => answer.operations)
  const admitted = sum(answers, answer => answer.admitted)
  const { most, expected } = boundOf(setup, took)
  const due = setup.demand === 'half' ? operations : expected
  const calls = await scriptCalls(crew.redis) - before
  const times = answers.flatMap(answer => answer.times)
  return {
    operations,
    seconds: took,
    p99Ms: times.length === 0 ? 0 : percentile(times, 0.99),
    figures: { limitCalls: calls / operations, admitted, excess: Math.max(0, admitted - most), utilisationPercent: 100 * admitted / due }
  }
}

async function scriptCalls (redis: Redis): Promise<number> {
  const commands = parseCommandStats(await redis.info('commandstats'))
  return ['eval', 'evalsha'].reduce((total, name) => total + (commands.get(name)?.calls ?? 0), 0)
}

/** Units that a key nobody has asked for is admitted at most, and is to be admitted, within so many seconds, which are less than a window. */
function boundOf ({ algorithm, limit, leased }: Setup, seconds: number): { most: number, expected: number } {
  if (algorithm === 'fixed-window') return { most: limit, expected: limit }
  const intervalSeconds = Math.ceil(1e6 * windowSeconds / limit) / 1e6
  const expected = limit / 4 + Math.floor(seconds / intervalSeconds)
  return { most: expected + (leased ? Math.ceil(lifetimeSeconds / intervalSeconds) : 0), expected }
}

const sum = <T>(all: readonly T[], of: (one: T) => number) => all.reduce((total, one) => total + of(one), 0)
