import { inspect } from 'node:util'
import type { CounterSeries, Metrics } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { FST_RSP_SESSION_EVENT_UNKNOWN } from './errors.ts'
import { metrics } from './metrics.ts'

/** What can happen to a session. */
export type SessionEventName = 'created' | 'renewed' | 'rotated' | 'revoked' | 'expired' | 'lost' | 'reuse'

/** What a listener is told; never a token. */
export interface SessionEvent {
  /** The session's public id. */
  readonly id: string
  /** Undefined for a visitor, and where only the id is known. */
  readonly userId: string | undefined
}

/** May be asynchronous: nobody waits for it, and that it throws or rejects is logged. */
export type SessionListener = (event: SessionEvent) => void

/** Counts what happens to sessions, and tells those who listen in this process. */
export class SessionEvents {
  readonly local: CounterSeries
  readonly hit: CounterSeries
  readonly miss: CounterSeries
  readonly dead: CounterSeries
  readonly fallback: CounterSeries
  readonly forged: CounterSeries
  readonly #counters: Record<SessionEventName, CounterSeries>
  readonly #listeners = new Map<SessionEventName, Set<SessionListener>>()
  readonly #log: FastifyBaseLogger

  constructor (port: Metrics, log: FastifyBaseLogger) {
    const { name, help, labels } = metrics.events
    const counter = port.counter({ name, help, labels })
    this.#counters = {
      created: counter.of('created'),
      renewed: counter.of('renewed'),
      rotated: counter.of('rotated'),
      revoked: counter.of('revoked'),
      expired: counter.of('expired'),
      lost: counter.of('lost'),
      reuse: counter.of('reuse')
    }
    this.local = counter.of('local')
    this.hit = counter.of('hit')
    this.miss = counter.of('miss')
    this.dead = counter.of('dead')
    this.fallback = counter.of('fallback')
    this.forged = counter.of('forged')
    this.#log = log
  }

  /**
   * @returns the way to stop listening
   * @throws FST_RSP_SESSION_EVENT_UNKNOWN
   */
  on (name: SessionEventName, listener: SessionListener): () => void {
    // Nobody would ever be told, and nobody told so.
    if (!Object.hasOwn(this.#counters, name) || typeof listener !== 'function') throw new FST_RSP_SESSION_EVENT_UNKNOWN(inspect([name, listener], { depth: 0, maxStringLength: 40, breakLength: Infinity }))
    let listeners = this.#listeners.get(name)
    if (listeners === undefined) this.#listeners.set(name, listeners = new Set())
    listeners.add(listener)
    return () => { listeners.delete(listener) }
  }

  /** Counts, and tells. */
  emit (name: SessionEventName, event: SessionEvent): void {
    this.#counters[name].inc()
    this.tell(name, event)
  }

  /** Tells without counting: what another process has counted. */
  tell (name: SessionEventName, event: SessionEvent): void {
    // A listener's fault is not the session's: the others are told all the same.
    const failed = (error: unknown) => { this.#log.error({ err: error, event: name }, 'a session listener failed') }
    // A copy: a listener may stop, or add, others.
    for (const listener of [...this.#listeners.get(name) ?? []]) {
      try {
        Promise.resolve(listener(event)).catch(failed)
      } catch (error) {
        failed(error)
      }
    }
  }
}
