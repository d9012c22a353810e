import type { FastifyBaseLogger } from 'fastify'
import type { RedisBus } from '../bus/redis-bus.ts'
import type { Adapter } from '../clients/adapter.ts'
import { type Clock, systemClock } from '../clock.ts'
import type { Link } from '../link/link.ts'
import { metrics as named } from '../metrics.ts'
import type { Metrics } from '../metrics/metrics.ts'
import { BroadcastWord } from './broadcast-word.ts'
import { BusWord } from './bus-word.ts'
import { GuardedInvalidations } from './guarded-invalidations.ts'
import type { Invalidations, LocalCopies } from './invalidations.ts'
import type { Word, WordBearer } from './word.ts'

export interface ServerInvalidationsOptions {
  adapter: Adapter
  link: Link
  bus: RedisBus
  metrics: Metrics
  log: Pick<FastifyBaseLogger, 'debug' | 'info' | 'warn'>
  clock?: Clock
  /** @default 1000 */
  heartbeatMs?: number
  /** A loss in silence is noticed within `heartbeatMs + deadlineMs`. @default 1000 */
  deadlineMs?: number
}

/**
 * Invalidations by a server. Copies may be used only while the last heartbeat is younger than `heartbeatMs + deadlineMs`:
 * so it holds also for a process that was stopped meanwhile.
 */
export class ServerInvalidations extends GuardedInvalidations {
  readonly #options: ServerInvalidationsOptions
  readonly #clock: Clock
  readonly #keys: { inc (by?: number): void }
  readonly #losses: { inc (): void }
  #bearer: WordBearer | undefined
  #prefixes: readonly string[] = []
  #sureUntilMs = -1
  #closed = false

  constructor (options: ServerInvalidationsOptions) {
    super()
    this.#options = options
    this.#clock = options.clock ?? systemClock
    this.#keys = options.metrics.counter(named.invalidatedKeys).of()
    this.#losses = options.metrics.counter(named.invalidationLosses).of()
    options.metrics.gauge({ ...named.invalidationsArmed, collect: gauge => gauge.of().set(this.armed ? 1 : 0) })
    options.link.on('state', () => this.#choose())
  }

  get means (): Invalidations['means'] {
    return this.#bearer?.means ?? 'broadcast'
  }

  override get armed (): boolean {
    return super.armed && this.#clock.monotonicMs() < this.#sureUntilMs
  }

  override follow (prefixes: readonly string[], copies: LocalCopies): () => void {
    const stop = super.follow(prefixes, copies)
    const grew = this.followers.prefixes.some(prefix => !this.#prefixes.some(known => prefix.startsWith(known)))
    if (grew) {
      // What lies under a new prefix was not told so far.
      this.lose()
      this.#prefixes = this.followers.prefixes
      this.#choose()
      this.#bearer?.prefixesGrew()
    }
    return stop
  }

  override changedHere (keys: readonly string[]): void {
    super.changedHere(keys)
    this.#bearer?.tell(keys)
  }

  override changedAllHere (): void {
    super.changedAllHere()
    this.#bearer?.tell(undefined)
  }

  async close (): Promise<void> {
    this.#closed = true
    this.lose()
    await this.#bearer?.close()
  }

  /** By what the server can do, which is known only once it was asked. */
  #choose (): void {
    const { link, adapter, bus, log, heartbeatMs = 1_000, deadlineMs = 1_000 } = this.#options
    if (this.#closed || this.#prefixes.length === 0 || link.features.server === 'unknown') return
    const means = link.features.tracking ? 'broadcast' : 'bus'
    if (this.#bearer?.means === means) return
    const replaced = this.#bearer
    replaced?.close().catch(error => log.warn({ err: error }, 'closing a connection of the invalidations failed'))
    this.lose()
    if (means === 'bus') log.info(`${link.features.server} has no CLIENT TRACKING: invalidations come by the bus`)
    const word = this.#wordFor(() => this.#bearer)
    const timing = { heartbeatMs, deadlineMs, clock: this.#clock }
    this.#bearer = undefined
    this.#bearer = means === 'broadcast' ? new BroadcastWord(adapter, word, { prefixes: () => this.#prefixes, timing }) : new BusWord(bus, word)
  }

  #wordFor (bearer: () => WordBearer | undefined): Word {
    return {
      sure: untilMs => {
        if (this.#closed) return
        this.#sureUntilMs = untilMs
        this.confirm()
      },
      lost: reason => {
        if (super.armed) {
          this.#losses.inc()
          // With the whole connection lost, the link has said so.
          const level = this.#options.adapter.connected ? 'info' : 'debug'
          this.#options.log[level]({ err: reason, means: bearer()?.means }, 'invalidations may have been missed: local copies are dropped until it is armed again')
        }
        this.lose()
      },
      changed: keys => {
        this.#keys.inc(keys.length)
        this.changed(keys)
      },
      changedAll: () => this.changedAll()
    }
  }
}

/** Invalidations by the server of `adapter`: by broadcast tracking, or by the bus where the server has none. */
export function createServerInvalidations (options: ServerInvalidationsOptions): ServerInvalidations {
  return new ServerInvalidations(options)
}
