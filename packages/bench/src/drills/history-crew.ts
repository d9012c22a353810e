import { setTimeout as pause } from 'node:timers/promises'
import { startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import { type Child, startChild } from '../child.ts'
import { seededChance } from '../rounds.ts'
import type { Disturbance } from './cache-history-checker.ts'
import { type Fault, nowMs, userOf, type Victims } from './faults.ts'
import { MovableRedis } from './movable-redis.ts'

/** Processes that have just begun compile what they run. */
const warmupMs = 1_000

/** Who is to work, and what is to happen to them. */
export interface CrewPlan {
  readonly processes: number
  /** Path of their program from this package's folder. It is asked `begin`, then `take` again and again. */
  readonly worker: string
  /** Beside the URLs of Redis and of the database that is never disturbed; `seed` is the process' own. */
  env (seed: number): NodeJS.ProcessEnv
  readonly faults: Readonly<Record<string, Fault>>
  /** Time from a fault to the next, ms. */
  readonly calmMs: { readonly least: number, readonly most: number }
}

/** Several processes over one Redis, disturbed at random while they work. */
export class HistoryCrew<Event> {
  readonly disturbances: Disturbance[] = []
  /** How often each fault came, and what replicas lacked when they took over. */
  readonly counts: Record<string, number> = {}
  readonly #slots: { child: Child, number: number }[] = []
  readonly #plan: CrewPlan
  readonly #below: (n: number) => number
  #urls!: { redis: (slot: number) => string, database: string }
  #victims!: Victims
  #database!: Redis
  #born = 0
  #over = false

  /** @param stops - what is to be stopped afterwards, the last first, is added */
  static async start<Event> (plan: CrewPlan, seed: number, stops: (() => unknown)[]): Promise<HistoryCrew<Event>> {
    const { processes } = plan
    const users = Array.from({ length: processes }, (_, slot) => ['--user', userOf(slot), 'on', 'nopass', '~*', '&*', '+@all']).flat()
    const redis = await MovableRedis.start(users, stops)
    const { lane, road } = redis
    // Straight, unless it moves.
    const others = 'failover' in plan.faults ? road : redis.master
    const database = await startRedis()
    stops.push(() => database.stop())
    const crew = new HistoryCrew<Event>(plan, seed)
    const admin = crew.#client(`redis://127.0.0.1:${road.port}`, stops)
    crew.#database = crew.#client(database.url, stops)
    crew.#urls = { redis: slot => `redis://${userOf(slot)}:any@127.0.0.1:${(slot === 0 ? lane : others).port}`, database: database.url }
    stops.push(() => Promise.all(crew.#slots.map(({ child }) => child.stop())))
    for (let slot = 0; slot < processes; slot++) await crew.#start(slot)
    const { pidOf, numberOf, replace } = crew
    const failOver = async (lagMs: number) => { crew.counts.bytesLacked = (crew.counts.bytesLacked ?? 0) + await redis.failOver(lagMs) }
    crew.#victims = { get redis () { return redis.master }, admin, proxy: lane, processes, pidOf, numberOf, replace, failOver }
    return crew
  }

  constructor (plan: CrewPlan, seed: number) {
    const chance = seededChance(seed)
    this.#below = n => Math.floor(chance() * n)
    this.#plan = plan
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

  /** The Redis that is disturbed, by a connection of nobody who is observed. */
  get admin (): Redis { return this.#victims.admin }

  /** What the processes keep beside, and nobody disturbs. */
  get database (): Redis { return this.#database }

  /** Hands over what the processes recorded until it is enough, while faults come and go. */
  async work (record: (process: number, events: readonly Event[]) => void, enough: () => boolean): Promise<void> {
    const from = nowMs()
    await this.ask('begin')
    this.disturbances.push({ process: 'all', from, to: from + warmupMs })
    const collected = Promise.all(this.#slots.map((_, slot) => this.#collect(slot, record, enough)))
    await Promise.all([collected.finally(() => { this.#over = true }), this.#disturb()])
  }

  /** Asks all processes, and gives their answers with their numbers. */
  async ask (question: string): Promise<{ number: number, answer: unknown }[]> {
    return await Promise.all(this.#slots.map(async ({ child, number }) => ({ number, answer: await child.ask({ question }) })))
  }

  #client (url: string, stops: (() => unknown)[]): Redis {
    const client = new Redis(url)
    client.on('error', () => undefined) // Redis is frozen on purpose
    stops.push(() => client.disconnect())
    return client
  }

  async #start (slot: number): Promise<void> {
    const number = this.#born++
    const env = { BENCH_REDIS_URL: this.#urls.redis(slot), BENCH_DATABASE_URL: this.#urls.database, ...this.#plan.env(this.#below(2 ** 31)) }
    this.#slots[slot] = { child: await startChild(this.#plan.worker, { env }), number }
  }

  async #collect (slot: number, record: (process: number, events: readonly Event[]) => void, enough: () => boolean): Promise<void> {
    while (!enough()) {
      const { child, number } = this.#slots[slot]!
      try {
        record(number, await child.ask({ question: 'take' }) as Event[])
      } catch {
        // It was killed: what it had not told yet is lost, and nobody was promised anything by it.
      }
      await pause(100)
    }
  }

  async #disturb (): Promise<void> {
    const { faults, calmMs: { least, most } } = this.#plan
    const names = Object.keys(faults)
    while (!this.#over) {
      await pause(least + this.#below(most - least))
      if (this.#over) return
      const name = names[this.#below(names.length)]!
      this.counts[name] = (this.counts[name] ?? 0) + 1
      this.disturbances.push(await faults[name]!(this.#victims, this.#below))
    }
  }
}
