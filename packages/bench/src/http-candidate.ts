import { type RedisServer, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { type Child, startChild } from './child.ts'
import { callsSent, commandsBetween, type CommandStats, parseCommandStats } from './command-stats.ts'
import { type Origins, sentShareOf, watchOrigins } from './command-origins.ts'
import { type LoadGenerator, type LoadResult, type Pace, startLoadGenerator } from './load.ts'
import type { Candidate, Sample, StartOptions, Subject } from './scenario.ts'

/** A server to be measured under load. */
export interface HttpCandidate {
  name: string
  /** Path of the server's module from this package's folder. */
  module: string
  /** Whether it is given a Redis server of its own: nobody else's keys, heartbeats or commands are in its figures. `gone`: it had one, which is killed before the load. */
  redis: boolean | 'gone'
  /** Further environment of the server. */
  env?: Readonly<Record<string, string>>
  /** The path that is measured. */
  path: string
  /** @default as fast as 64 connections are answered */
  paced?: Pace
  /** Proves that the server does what it claims, and answers the cookies that the connections are to send. */
  prepare (server: PreparedServer): Promise<readonly string[]>
  /** What only grows, by the name of the figure that says how much for each request. */
  counters?: Readonly<Record<string, (server: PreparedServer) => Promise<number>>>
  /** Figures that are looked at after each measurement. */
  figures?: (server: PreparedServer) => Promise<Record<string, number>>
  /** A word about it, for people. */
  word?: (server: PreparedServer) => Promise<string>
}

/** A server before its first measurement. */
export interface PreparedServer {
  /** Such as `http://127.0.0.1:40123`. */
  origin: string
  /** Asks the server's own process. */
  ask (question: string): Promise<unknown>
  redis: Redis | undefined
}

/** What was started so far. */
interface Running {
  server?: Child
  generator?: LoadGenerator
  redisServer?: RedisServer | undefined
  redis?: Redis | undefined
}

/** Makes a candidate out of a server module: the server, its Redis and the load generator are three processes. */
export function httpCandidate (candidate: HttpCandidate): Candidate {
  return { name: candidate.name, start: options => start(candidate, options) }
}

async function start (candidate: HttpCandidate, { warmupSeconds, nodeArguments }: StartOptions): Promise<Subject> {
  const running: Running = {}
  try {
    const redisServer = running.redisServer = candidate.redis !== false ? await startRedis() : undefined
    const redis = running.redis = redisServer && new Redis(redisServer.url)
    const [server, generator] = await Promise.all([
      startChild(candidate.module, { env: { BENCH_REDIS_URL: redisServer?.url ?? '', ...candidate.env }, nodeArguments }).then(child => { running.server = child; return child }),
      startLoadGenerator().then(born => { running.generator = born; return born })
    ])
    const origin = `http://127.0.0.1:${server.ready.port}`
    const prepared: PreparedServer = { origin, redis, ask: question => server.ask({ question }) }
    const [cookies, early] = await watched(redisServer, () => candidate.prepare(prepared))
    const gone = candidate.redis === 'gone'
    if (gone) {
      redis!.disconnect()
      await redisServer!.kill()
    }
    const load = async (seconds: number) => checked(candidate.name, await generator.run({ url: origin + candidate.path, seconds, cookies, paced: candidate.paced }))
    await load(warmupSeconds)
    // Which commands come out of scripts is looked at before anything is measured: under load, and for those that are rare there, as with
    // copies in the process, while it was prepared.
    const [, underLoad] = await watched(gone ? undefined : redisServer, () => load(Math.min(1, warmupSeconds)))
    const origins = new Map([...early, ...underLoad])
    const measured = gone ? { ...prepared, redis: undefined } : prepared
    return { measure: seconds => measure(candidate, measured, { load: () => load(seconds), origins }), stop: () => stop(running) }
  } catch (error) {
    await stop(running)
    throw error
  }
}

async function watched<Result> (redisServer: RedisServer | undefined, work: () => Promise<Result>): Promise<[Result, ReadonlyMap<string, Origins>]> {
  if (redisServer === undefined) return [await work(), new Map()]
  let result!: Result
  const origins = await watchOrigins(redisServer.port, async () => { result = await work() })
  return [result, origins]
}

interface Measuring { load (): Promise<LoadResult>, origins: ReadonlyMap<string, Origins> }

async function measure (candidate: HttpCandidate, server: PreparedServer, { load, origins }: Measuring): Promise<Sample> {
  const { redis } = server
  const { counters = {}, figures, word } = candidate
  const read = async () => ({
    counts: await Promise.all(Object.values(counters).map(count => count(server))),
    stats: redis ? parseCommandStats(await redis.info('commandstats')) : new Map() as CommandStats,
    cpuMicros: Number(await server.ask('cpuMicros'))
  })
  const before = await read()
  const { responses, seconds, p99Ms } = await load()
  const after = await read()
  const commands = commandsBetween(before.stats, after.stats)
  const share = sentShareOf(origins)
  let redisMicros = 0
  for (const [name, { micros }] of commands) redisMicros += share(name) * micros
  const counted = Object.keys(counters).map((name, i) => [name, (after.counts[i]! - before.counts[i]!) / responses] as const)
  const notes = [await word?.(server), redis && noteOf(commands, share, responses)].filter(note => note !== undefined)
  return {
    perSecond: responses / seconds,
    p99Ms,
    redisCallsPerRequest: callsSent(commands, share) / responses,
    // Of the server's process and of the Redis server's commands: what a request costs, whatever else the machine does.
    figures: {
      serverCpuMicros: (after.cpuMicros - before.cpuMicros) / responses, redisCpuMicros: redisMicros / responses, ...Object.fromEntries(counted), ...await figures?.(server)
    },
    ...notes.length > 0 && { note: notes.join('; ') }
  }
}

/** Which commands a request takes, the rare ones left out: `get 1.00, evalsha 1.00 (in scripts: incr 1.00)`. */
function noteOf (commands: CommandStats, share: (command: string) => number, responses: number): string {
  const said = (part: (name: string) => number) => [...commands]
    .map(([name, { calls }]) => [name, calls * part(name) / responses] as const)
    .filter(([, per]) => per >= 0.001).sort((a, b) => b[1] - a[1]).map(([name, per]) => `${name} ${per.toFixed(3)}`).join(', ')
  const inner = said(name => 1 - share(name))
  return `Redis commands a request: ${said(share) || 'none'}${inner === '' ? '' : ` (within scripts: ${inner})`}`
}

/** A benchmark of refusals and errors would be fast. */
function checked (name: string, result: LoadResult): LoadResult {
  const { statuses, failures, responses } = result
  if (failures > 0 || responses === 0 || Object.keys(statuses).some(status => status !== '200')) {
    throw new Error(`${name} did not answer 200 to all: ${JSON.stringify(statuses)}, ${failures} without an answer`)
  }
  return result
}

async function stop ({ server, generator, redisServer, redis }: Running): Promise<void> {
  await generator?.stop()
  await server?.stop()
  redis?.disconnect()
  await redisServer?.stop()
}
