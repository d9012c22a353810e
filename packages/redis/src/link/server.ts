import type { FastifyBaseLogger } from 'fastify'
import type { Adapter } from '../clients/adapter.ts'
import type { Clock } from '../clock.ts'
import { metrics as named } from '../metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { reasonOf } from './failures.ts'
import { Guard } from './guard.ts'
import type { LinkState } from './link.ts'
import { LinkStatus } from './link-status.ts'
import { ServerWatch } from './server-watch.ts'

export interface ServerOptions {
  adapter: Adapter
  metrics: Metrics
  log: Pick<FastifyBaseLogger, 'info' | 'warn' | 'debug'>
  clock: Clock
  deadlineMs: number
  breaker: { failures: number, probeEveryMs: number }
}

/** Replies that say that the server lives, but cannot do its work. */
const troubles = new Set(['LOADING', 'READONLY', 'OOM', 'MISCONF', 'MASTERDOWN', 'CLUSTERDOWN', 'NOREPLICAS', 'NOAUTH', 'WRONGPASS'])
/** Replies after which the server may be another than it was. */
const eraDoubts = new Set(['READONLY', 'MOVED', 'LOADING', 'CLUSTERDOWN', 'MASTERDOWN', 'UNBLOCKED'])
const troubledMs = 2_000
const doubtEveryMs = 100

/** What all links to one server share, whatever their deadlines. */
export class Server {
  readonly adapter: Adapter
  readonly guard: Guard
  readonly watch: ServerWatch
  readonly status: LinkStatus
  readonly deadlineMs: number
  readonly #clock: Clock
  readonly #tick: NodeJS.Timeout
  #refusal = ''
  #refusedAtMs = -Infinity
  #doubtedAtMs = -Infinity
  #closing: Promise<void> | undefined
  #closed = false

  constructor (options: ServerOptions) {
    const { adapter, metrics, log, clock, deadlineMs } = options
    this.adapter = adapter
    this.deadlineMs = deadlineMs
    this.#clock = clock
    this.status = new LinkStatus(log)
    this.watch = new ServerWatch(adapter, () => this.#judge())
    this.guard = new Guard({ ...options, replica: () => this.#isReplica(), onBreaker: () => this.#breakerTurned(), onRefusal: (reply, message) => this.#refused(reply, message) })
    metrics.gauge({ ...named.up, collect: gauge => gauge.of().set(this.status.state === 'up' ? 1 : 0) })
    adapter.on('ready', () => this.#made())
    adapter.on('lost', () => this.#lost())
    adapter.on('failed', () => this.#judge())
    adapter.on('topology', () => this.watch.follow())
    // A refusal is over when it was not heard again for a while.
    this.#tick = setInterval(() => this.#judge(), 500).unref()
    adapter.connect()
  }

  close (): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  async #end (): Promise<void> {
    await this.guard.close(this.deadlineMs)
    this.#closed = true
    clearInterval(this.#tick)
    this.watch.close()
    await this.adapter.close()
  }

  /** In a Cluster a replica that is asked names its master, and is not one of those that are asked for long. */
  #isReplica (): boolean {
    if (!this.watch.replica || this.adapter.cluster) return false
    // Not `renew`, which begins anew: where answers take long, none would ever come.
    if (this.#doubts()) this.watch.look()
    return true
  }

  #made (): void {
    this.status.grow()
    this.guard.breaker.reset()
    this.watch.renew()
  }

  #lost (): void {
    this.watch.forget()
    this.status.grow()
    this.#judge()
    // In a Cluster the others go on.
    if (this.adapter.connected) this.watch.renew()
  }

  #breakerTurned (): void {
    if (this.guard.breaker.state === 'closed') this.watch.renew()
    this.#judge()
  }

  #refused (reply: string, message: string): void {
    if (eraDoubts.has(reply) && this.#doubts()) this.watch.renew()
    if (reply === 'NOPERM') this.watch.doubtScripts()
    if (!troubles.has(reply)) return
    this.#refusedAtMs = this.#clock.monotonicMs()
    this.#refusal = message
    this.#judge()
  }

  /** Whether the server may be asked again who it is. */
  #doubts (): boolean {
    const nowMs = this.#clock.monotonicMs()
    if (nowMs - this.#doubtedAtMs <= doubtEveryMs) return false
    this.#doubtedAtMs = nowMs
    return true
  }

  #judge (): void {
    if (this.#closed) return
    const [state, reason] = this.#now()
    const { server, version } = this.watch.features
    this.status.become(state, reason, `${server} ${version}`)
  }

  #now (): [LinkState, string | undefined] {
    const { adapter, guard: { breaker }, watch } = this
    if (!adapter.connected) return ['down', reasonOf(adapter.lastError) ?? 'not connected']
    if (breaker.state !== 'closed') return ['down', breaker.reason]
    if (watch.trouble !== undefined) return ['degraded', watch.trouble]
    if (this.#clock.monotonicMs() - this.#refusedAtMs < troubledMs) return ['degraded', this.#refusal]
    // Connected, and being asked: it is what it was until it has answered.
    if (!watch.complete) return [this.status.state, this.status.reason]
    return ['up', undefined]
  }
}
