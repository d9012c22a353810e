import type { Drill, DrillFindings, DrillOptions } from '../drill.ts'
import { brokenReads, type Disturbance, type History, type HistoryEnding, type HistoryRead, percentile, stalenessOf, unknowingReads } from './cache-history-checker.ts'
import { faults, nowMs } from './faults.ts'
import { type CrewPlan, HistoryCrew } from './history-crew.ts'

const settings = { keys: 24, tags: 6, localMaxAgeMs: 3_000, leaseMs: 200 }

type Event = { kind: 'read', watched?: boolean } & Omit<HistoryRead, 'process'> | { kind: 'ending' } & Omit<HistoryEnding, 'process'> | { kind: 'failure', what: string }

interface Recorded { reads: HistoryRead[], endings: HistoryEnding[], failures: string[], operations: number }

const { redisKilled, ...bearable } = faults
const plan: CrewPlan = {
  processes: 4,
  worker: 'candidates/cache-history/worker.mjs',
  env: seed => ({ BENCH_HISTORY: JSON.stringify({ ...settings, seed }) }),
  faults: bearable,
  calmMs: { least: 200, most: 2_000 }
}

/** Several processes over one Redis, disturbed at random; what they saw is recorded and judged afterwards. */
export const cacheHistory: Drill = {
  name: 'cache-history',
  about: 'processes read, write, invalidate by key and by tag, freeze, die and lose connections over one Redis: no read is older than what was invalidated before it',
  run
}

async function run (options: DrillOptions): Promise<DrillFindings> {
  const stops: (() => unknown)[] = []
  try {
    const crew = await HistoryCrew.start<Event>(plan, options.seed, stops)
    const startedAt = nowMs()
    const recorded: Recorded = { reads: [], endings: [], failures: [], operations: 0 }
    const operations = options.operations ?? (options.quick ? 10_000 : 100_000)
    await crew.work((number, events) => record(recorded, number, events), () => recorded.operations >= operations)
    const findings = judge({ ...recorded, disturbances: crew.disturbances, counts: crew.counts }, (nowMs() - startedAt) / 1_000)
    for (const [name, value] of Object.entries(findings.figures)) options.print(`${name.padEnd(28)}${value}`)
    return findings
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

function record (recorded: Recorded, number: number, events: readonly Event[]): void {
  for (const event of events) {
    if (event.kind === 'failure') recorded.failures.push(event.what)
    else if (event.kind === 'ending') recorded.endings.push({ ...event, process: number })
    else recorded.reads.push({ ...event, process: number })
    // What merely watches the local copies is no operation.
    if (event.kind !== 'read' || event.watched !== true) recorded.operations++
  }
}

interface Ended extends Recorded { disturbances: readonly Disturbance[], counts: Readonly<Record<string, number>> }

function judge ({ reads, endings, disturbances, failures, operations, counts }: Ended, seconds: number): DrillFindings {
  const history: History = { reads, endings, disturbances, localMaxAgeMs: settings.localMaxAgeMs }
  const broken = brokenReads(history)
  const { undisturbed, disturbed } = stalenessOf(history)
  const local = reads.filter(read => read.how === 'local').length
  const alone = reads.filter(read => read.how === 'withoutRedis').length
  const empty = Object.entries({ 'no read came out of a local copy': local, 'no read went through Redis': reads.length - local - alone, 'nothing was invalidated': endings.length })
  const rounded = (value: number) => Math.round(value * 1_000) / 1_000
  return {
    operations,
    violations: [...broken, ...failures.map(what => `a call failed: ${what}`), ...empty.filter(([, count]) => count === 0).map(([what]) => what)],
    figures: {
      brokenReads: broken.length,
      failedCalls: failures.length,
      localReads: local,
      redisReads: reads.length - local - alone,
      withoutRedisReads: alone,
      withoutRedisOlder: unknowingReads(history),
      invalidations: endings.length,
      seconds: rounded(seconds),
      staleP50Ms: rounded(percentile(undisturbed, 0.5)),
      staleP99Ms: rounded(percentile(undisturbed, 0.99)),
      staleMaxMs: rounded(percentile(undisturbed, 1)),
      staleMeasured: undisturbed.length,
      disturbedStaleP99Ms: rounded(percentile(disturbed, 0.99)),
      disturbedStaleMaxMs: rounded(percentile(disturbed, 1)),
      ...counts
    }
  }
}
