import { setTimeout as pause } from 'node:timers/promises'
import type { RedisServer, TcpProxy } from '@respite/testing'
import type { Redis } from 'ioredis'
import type { Disturbance } from './cache-history-checker.ts'

/** What can be disturbed. */
export interface Victims {
  readonly redis: RedisServer
  /** A connection of nobody who is observed. */
  readonly admin: Redis
  /** The way to Redis of the first process. */
  readonly proxy: TcpProxy
  readonly processes: number
  pidOf (slot: number): number | undefined
  /** The number of the process that is in a slot now. */
  numberOf (slot: number): number
  /** A replica that has heard nothing for so long takes the place of the Redis. */
  failOver (lagMs: number): Promise<void>
  /** Ends a process at once and puts another in its place. */
  replace (slot: number): Promise<void>
}

export const nowMs = (): number => Number(process.hrtime.bigint()) / 1e6

/** How long after a fault its victim is still catching up. */
const aftermathMs = { freeze: 250, cut: 1_000, outage: 2_000 }

export type Fault = (victims: Victims, below: (n: number) => number) => Promise<Disturbance>

/** What can happen to the processes, their connections and their Redis, by its name in the figures. */
export const faults = {
  async processFrozen (victims, below) {
    const slot = below(victims.processes)
    const disturbance = { process: victims.numberOf(slot), from: nowMs(), to: Infinity }
    const pid = victims.pidOf(slot)
    signal(pid, 'SIGSTOP')
    await pause(20 + below(500))
    signal(pid, 'SIGCONT')
    return { ...disturbance, to: nowMs() + aftermathMs.freeze }
  },
  async processKilled (victims, below) {
    const slot = below(victims.processes)
    const from = nowMs()
    await victims.replace(slot)
    // To start a process takes the machine for a while.
    return { process: 'all', from, to: nowMs() + aftermathMs.freeze }
  },
  async connectionKilled (victims, below) {
    const slot = below(victims.processes)
    const from = nowMs()
    const list = String(await victims.admin.client('LIST'))
    const ids = [...list.matchAll(/^id=(\d+) .* user=(\S+)/gm)].filter(([, , user]) => user === userOf(slot)).map(([, id]) => id!)
    if (ids.length > 0) await victims.admin.client('KILL', 'ID', ids[below(ids.length)]!)
    return { process: victims.numberOf(slot), from, to: nowMs() + aftermathMs.cut }
  },
  async allConnectionsCut ({ proxy, numberOf }) {
    const from = nowMs()
    proxy.cut()
    return { process: numberOf(0), from, to: nowMs() + aftermathMs.cut }
  },
  async wordsSwallowed ({ proxy, numberOf }, below) {
    const from = nowMs()
    proxy.blackHole = true
    await pause(50 + below(800))
    proxy.blackHole = false
    // What was swallowed leaves the stream of answers without its middle.
    proxy.cut()
    return { process: numberOf(0), from, to: nowMs() + aftermathMs.outage }
  },
  async answersLate ({ proxy, numberOf }, below) {
    const from = nowMs()
    proxy.replyDelayMs = 1 + below(40)
    await pause(200 + below(400))
    proxy.replyDelayMs = 0
    // What was late is overtaken by what is not: no stream survives that.
    proxy.cut()
    return { process: numberOf(0), from, to: nowMs() + aftermathMs.cut }
  },
  async redisFrozen ({ redis }, below) {
    const from = nowMs()
    redis.freeze()
    await pause(20 + below(300))
    redis.thaw()
    return { process: 'all', from, to: nowMs() + aftermathMs.outage }
  },
  async redisEmptied ({ admin }) {
    const from = nowMs()
    await admin.flushall()
    return { process: 'all', from, to: nowMs() + aftermathMs.freeze }
  },
  async redisKilled ({ redis }, below) {
    const from = nowMs()
    await redis.kill()
    await pause(below(1_500))
    await redis.restart()
    return { process: 'all', from, to: nowMs() + aftermathMs.outage }
  }
} satisfies Readonly<Record<string, Fault>>

/** The Redis dies, and a replica that lacks its latest writes is promoted. */
export const failover: Fault = async ({ failOver }, below) => {
  const from = nowMs()
  await failOver(below(800))
  return { process: 'all', from, to: nowMs() + aftermathMs.outage }
}

export const userOf = (slot: number): string => `process${slot}`

function signal (pid: number | undefined, name: NodeJS.Signals): void {
  try {
    if (pid !== undefined) process.kill(pid, name)
  } catch {
    // It has ended meanwhile.
  }
}
