import { setTimeout as pause } from 'node:timers/promises'
import { startProxy, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { type Child, startChild } from '../child.ts'
import type { Drill, DrillFindings, DrillOptions } from '../drill.ts'
import { seededChance } from '../rounds.ts'
import { brokenReads, type Disturbance, type History, type HistoryEnding, type HistoryRead, percentile, stalenessOf, unknowingReads } from './cache-history-checker.ts'
import { faults, nowMs, userOf, type Victims } from './cache-history-faults.ts'

const processes = 4
/** Processes that have just begun compile what they run. */
const warmupMs = 1_000
const settings = { keys: 24, tags: 6, localMaxAgeMs: 3_000, leaseMs: 200 }

type Event = { kind: 'read', watched?: boolean } & Omit<HistoryRead, 'process'> | { kind: 'ending' } & Omit<HistoryEnding, 'process'> | { kind: 'failure', what: string }

interface Recorded { reads: HistoryRead[], endings: HistoryEnding[], disturbances: Disturbance[], failures: string[], operations: number, counts: Record<string, number> }

/** Several processes over one Redis, disturbed at random; what they saw is recorded and judged afterwards. */
export const cacheHistory: Drill = {
  name: 'cache-history',
  about: 'processes read, write, invalidate by key and by tag, freeze, die and lose connections over one Redis: no read is older than what was invalidated before it',
  run
}

async function run (options: DrillOptions): Promise<DrillFindings> {
  const stops: (() => unknown)[] = []
  try {
    const crew = await Crew.start(options, stops)
    const startedAt = nowMs()
    await crew.work(options.operations ?? (options.quick ? 10_000 : 100_000))
    const seconds = (nowMs() - startedAt) / 1_000
    const findings = judge(crew.recorded, seconds)
    for (const [name, value] of Object.entries(findings.figures)) options.print(`${name.padEnd(28)}${value}`)
    return findings
  } finally {
    for (const stop of stops.reverse()) await stop()
  }
}

/** The processes, and what becomes of them. */
class Crew {
  readonly recorded: Recorded = { reads: [], endings: [], disturbances: [], failures: [], operations: 0, counts: {} }
  readonly #slots: { child: Child, number: number }[] = []
  readonly #below: (n: number) => number
  readonly #urls: { redis: (slot: number) => string, database: string }
  #victims!: Victims
  #born = 0
  #over = false

  static async start ({ seed }: DrillOptions, stops: (() => unknown)[]): Promise<Crew> {
    const users = Array.from({ length: processes }, (_, slot) => ['--user', userOf(slot), 'on', 'nopass', '~*', '&*', '+@all']).flat()
    const redis = await startRedis(...users)
    stops.push(() => redis.stop())
    const database = await startRedis()
    stops.push(() => database.stop())
    const proxy = await startProxy(redis.port)
    stops.push(() => proxy.stop())
    const admin = new Redis(redis.url)
    admin.on('error', () => undefined) // Redis is frozen on purpose
    stops.push(() => admin.disconnect())
    const crew = new Crew(seed, { redis: slot => `redis://${userOf(slot)}:any@127.0.0.1:${slot === 0 ? proxy.port : redis.port}`, database: database.url })
    stops.push(() => Promise.all(crew.#slots.map(({ child }) => child.stop())))
    for (let slot = 0; slot < processes; slot++) await crew.#start(slot)
    const { pidOf, numberOf, replace } = crew
    crew.#victims = { redis, admin, proxy, processes, pidOf, numberOf, replace }
    return crew
  }

  constructor (seed: number, urls: { redis: (slot: number) => string, database: string }) {
    const chance = seededChance(seed)
    this.#below = n => Math.floor(chance() * n)
    this.#urls = urls
  }

  readonly pidOf = (slot: number): number | undefined => this.#slots[slot]?.child.pid
  readonly numberOf = (slot: number): number => this.#slots[slot]!.number

  readonly replace = async (slot: number): Promise<void> => {
    const { child } = this.#slots[slot]!
    process.kill(child.pid, 'SIGKILL')
    await child.stop()
    await this.#start(slot)
    await this.#slots[slot]!.child.ask({ question: 'begin' })
  }

  async #start (slot: number): Promise<void> {
    const number = this.#born++
    const env = { BENCH_REDIS_URL: this.#urls.redis(slot), BENCH_DATABASE_URL: this.#urls.database, BENCH_HISTORY: JSON.stringify({ ...settings, seed: this.#below(2 ** 31) }) }
    this.#slots[slot] = { child: await startChild('candidates/cache-history/worker.mjs', { env }), number }
  }

  /** Until enough has been recorded. */
  async work (operations: number): Promise<void> {
    const from = nowMs()
    await Promise.all(this.#slots.map(({ child }) => child.ask({ question: 'begin' })))
    this.recorded.disturbances.push({ process: 'all', from, to: from + warmupMs })
    const collected = Promise.all(Array.from({ length: processes }, (_, slot) => this.#collect(slot, operations)))
    await Promise.all([collected.finally(() => { this.#over = true }), this.#disturb()])
  }

  async #collect (slot: number, operations: number): Promise<void> {
    while (this.recorded.operations < operations) {
      const { child, number } = this.#slots[slot]!
      try {
        this.#record(number, await child.ask({ question: 'take' }) as Event[])
      } catch {
        // It was killed: what it had not told yet is lost, and nobody was promised anything by it.
      }
      await pause(100)
    }
  }

  #record (number: number, events: readonly Event[]): void {
    const { reads, endings, failures } = this.recorded
    for (const event of events) {
      if (event.kind === 'failure') failures.push(event.what)
      else if (event.kind === 'ending') endings.push({ ...event, process: number })
      else reads.push({ ...event, process: number })
      // What merely watches the local copies is no operation.
      if (event.kind !== 'read' || event.watched !== true) this.recorded.operations++
    }
  }

  async #disturb (): Promise<void> {
    const names = Object.keys(faults)
    while (!this.#over) {
      await pause(200 + this.#below(1_800))
      if (this.#over) return
      const name = names[this.#below(names.length)]!
      this.recorded.counts[name] = (this.recorded.counts[name] ?? 0) + 1
      this.recorded.disturbances.push(await faults[name]!(this.#victims, this.#below))
    }
  }
}

function judge ({ reads, endings, disturbances, failures, operations, counts }: Recorded, seconds: number): DrillFindings {
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
