import { type RedisServer, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { type Child, startChild } from './child.ts'
import { callsSent, commandsBetween, parseCommandStats } from './command-stats.ts'
import { sentShareOf, watchOrigins } from './command-origins.ts'
import type { Candidate, Sample, StartOptions, Subject } from './scenario.ts'

/** A cache library in processes of its own over a Redis of its own. */
export interface CacheCandidate {
  name: string
  /** How many processes share the Redis. */
  processes: number
  /** Whether it may keep copies in its process. */
  local: boolean
  tags: readonly string[]
  /** Proves that it caches, and fills it. */
  prepare (crew: Crew): Promise<void>
  measure (crew: Crew, seconds: number): Promise<Measured>
}

export interface Measured { operations: number, seconds: number, p99Ms: number, figures?: Record<string, number> }

export interface Crew {
  children: readonly Child[]
  ask<Answer> (question: string, given?: object): Promise<Answer[]>
}

/** Makes a candidate out of `candidates/cache/<name>.mjs`. */
export function cacheCandidate (candidate: CacheCandidate): Candidate {
  return { name: candidate.name, start: options => start(candidate, options) }
}

async function start (candidate: CacheCandidate, { warmupSeconds, nodeArguments }: StartOptions): Promise<Subject> {
  const stops: (() => unknown)[] = []
  const stop = async () => { for (const each of stops.reverse()) await each() }
  try {
    const server = await startRedis()
    stops.push(() => server.stop())
    const redis = new Redis(server.url)
    stops.push(() => redis.disconnect())
    const { local, tags, processes } = candidate
    const env = { BENCH_REDIS_URL: server.url, BENCH_LOCAL: local ? '1' : '0', ...tags.length > 0 && { BENCH_TAGS: tags.join(',') } }
    const children: Child[] = []
    stops.push(() => Promise.all(children.map(child => child.stop())))
    for (let i = 0; i < processes; i++) children.push(await startChild(`candidates/cache/${candidate.name}.mjs`, { env, nodeArguments }))
    const crew: Crew = { children, ask: <Answer>(question: string, given = {}) => Promise.all(children.map(child => child.ask({ question, ...given }) as Promise<Answer>)) }
    await candidate.prepare(crew)
    await candidate.measure(crew, warmupSeconds)
    const share = await sharesOf(server, () => candidate.measure(crew, Math.min(1, warmupSeconds)))
    return { measure: async seconds => sampleOf(redis, share, () => candidate.measure(crew, seconds)), stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function sharesOf (server: RedisServer, work: () => Promise<unknown>): Promise<(command: string) => number> {
  return sentShareOf(await watchOrigins(server.port, work))
}

async function sampleOf (redis: Redis, share: (command: string) => number, work: () => Promise<Measured>): Promise<Sample> {
  const read = async () => parseCommandStats(await redis.info('commandstats'))
  const before = await read()
  const { operations, seconds, p99Ms, figures } = await work()
  const sent = callsSent(commandsBetween(before, await read()), share)
  return { perSecond: operations / seconds, p99Ms, redisCallsPerRequest: sent / operations, ...figures && { figures } }
}
