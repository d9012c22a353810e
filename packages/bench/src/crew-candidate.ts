import { type RedisServer, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { type Child, startChild } from './child.ts'
import { callsSent, commandsBetween, parseCommandStats } from './command-stats.ts'
import { sentShareOf, watchOrigins } from './command-origins.ts'
import type { Candidate, Sample, StartOptions, Subject } from './scenario.ts'

/** A library in processes of its own over a Redis of its own. */
export interface CrewCandidate {
  name: string
  /** Path of its program from this package's folder. */
  program: string
  env: Readonly<Record<string, string>>
  /** How many processes share the Redis. */
  processes: number
  /** Proves that it does its work, and fills what is to be full. */
  prepare (crew: Crew): Promise<void>
  measure (crew: Crew, seconds: number): Promise<Measured>
}

export interface Measured { operations: number, seconds: number, p99Ms: number, figures?: Record<string, number>, note?: string }

export interface Crew {
  children: readonly Child[]
  redis: Redis
  ask<Answer> (question: string, given?: object): Promise<Answer[]>
}

/** Makes a candidate out of a program. */
export function crewCandidate (candidate: CrewCandidate): Candidate {
  return { name: candidate.name, start: options => start(candidate, options) }
}

async function start (candidate: CrewCandidate, { warmupSeconds, nodeArguments }: StartOptions): Promise<Subject> {
  const stops: (() => unknown)[] = []
  const stop = async () => { for (const each of stops.reverse()) await each() }
  try {
    const server = await startRedis()
    stops.push(() => server.stop())
    const redis = new Redis(server.url)
    stops.push(() => redis.disconnect())
    const { program, processes } = candidate
    const env = { BENCH_REDIS_URL: server.url, ...candidate.env }
    const children: Child[] = []
    stops.push(() => Promise.all(children.map(child => child.stop())))
    const started = await Promise.allSettled(Array.from({ length: processes }, async () => { children.push(await startChild(program, { env, nodeArguments })) }))
    for (const one of started) if (one.status === 'rejected') throw one.reason
    const crew: Crew = { children, redis, ask: <Answer>(question: string, given = {}) => Promise.all(children.map(child => child.ask({ question, ...given }) as Promise<Answer>)) }
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
  const { operations, seconds, p99Ms, figures, note } = await work()
  const commands = commandsBetween(before, await read())
  let redisMicros = 0
  for (const [name, { micros }] of commands) redisMicros += share(name) * micros
  const redisCallsPerRequest = callsSent(commands, share) / operations
  return { perSecond: operations / seconds, p99Ms, redisCallsPerRequest, figures: { redisCpuMicros: redisMicros / operations, ...figures }, ...note !== undefined && { note } }
}
