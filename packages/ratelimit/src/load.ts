import type { Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { performance } from 'node:perf_hooks'
import type { Limit } from './limit.ts'
import type { AppLoadOptions } from './load-options.ts'
import { shownValue } from './shown-value.ts'

const sampledEveryMs = 500

/** How busy this process is, and what its limits keep free for that. */
export class Load {
  readonly #shedAt: number | undefined
  readonly #measure: () => number
  readonly #clock: Clock
  readonly #log: Pick<FastifyBaseLogger, 'warn'>
  #now = 0
  #sampledMs = -Infinity
  #failed = false

  constructor ({ shedAt, measure = loopUtilisation() }: AppLoadOptions, { clock, log }: { clock: Clock, log: Pick<FastifyBaseLogger, 'warn'> }) {
    this.#shedAt = shedAt
    this.#measure = measure
    this.#clock = clock
    this.#log = log
  }

  /** 0 to 1. Looked at when somebody wants to know, twice a second at most: no timer is needed. */
  now (): number {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#sampledMs >= sampledEveryMs) {
      this.#sampledMs = nowMs
      this.#now = this.#sample()
    }
    return this.#now
  }

  /** Tenths of a limit that are to stay free now: in steps, so that the refusals of one step are remembered for the next request. */
  headroomTenths ({ shedAt = this.#shedAt }: Pick<Limit, 'shedAt'>): number {
    if (shedAt === undefined || shedAt === false) return 0
    // Above a `shedAt` of 0.5 a load of 0.55 is one tenth, in floating point a little more.
    return Math.max(0, Math.ceil((this.now() - shedAt) / (1 - shedAt) * 10 - 1e-9))
  }

  #sample (): number {
    try {
      const load: unknown = this.#measure()
      if (typeof load === 'number' && !Number.isNaN(load)) return Math.min(1, Math.max(0, load))
      this.#fail({ got: shownValue(load) })
    } catch (error) {
      this.#fail({ err: error })
    }
    return 0
  }

  // Who is refused for a load that nobody knows is refused for nothing.
  #fail (why: object): void {
    if (!this.#failed) this.#log.warn(why, "option 'load.measure' gave no number: nothing is shed meanwhile")
    this.#failed = true
  }
}

/** The share of time in which the event loop had something to do, since the last question. */
function loopUtilisation (): () => number {
  let last = performance.eventLoopUtilization()
  return () => {
    const { utilization } = performance.eventLoopUtilization(last)
    last = performance.eventLoopUtilization()
    return utilization
  }
}
