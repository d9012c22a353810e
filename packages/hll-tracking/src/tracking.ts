import type { Clock } from '@respite/redis'
import { inspect } from 'node:util'
import { activeCallers, type ActiveCallers } from './active.ts'
import type { Calendar } from './buckets.ts'
import type { EventBuffer } from './buffer.ts'
import { FST_RSP_TRACKING_ID_INVALID, FST_RSP_TRACKING_K_INVALID } from './errors.ts'
import type { Flusher } from './flusher.ts'
import type { Identities } from './identity.ts'
import { checkMetric } from './metric-name.ts'
import { eraseCaller, type Erasure, exportCaller, type MetricExport } from './personal-data.ts'
import type { TrackingStore } from './stores/store.ts'
import { topCallers, type TopCaller } from './top-callers.ts'
import { UniqueCount } from './unique-count.ts'
import { resolveWindow, type WindowOptions } from './window.ts'

/** How many to list, and of when. */
export interface TopOptions extends WindowOptions {
  /** @default 10 */
  k?: number
}

/** Why an event is not taken into the buffer; `DropReason` says why one that was taken is dropped later. */
export type ObserveDrop = 'nobody' | 'buffer full' | 'too many metrics' | 'closed'

export interface TrackingParts {
  store: TrackingStore
  buffer: EventBuffer
  flusher: Flusher
  identities: Identities
  calendar: Calendar
  clock: Clock
  maxMetrics: number
  /** Told of each event that is taken into the buffer. */
  onEvent: () => void
  /** Told of events that will not be counted. */
  onDrop: (events: number, reason: ObserveDrop) => void
}

const maxK = 10_000

/** `fastify.tracking`: counts who calls what, and how often. */
export class Tracking {
  readonly #parts: TrackingParts
  readonly #metrics = new Set<string>()
  #closed = false

  constructor (parts: TrackingParts) {
    this.#parts = parts
  }

  /** Entries in the buffer: events that the store does not have yet. */
  get buffered (): number {
    return this.#parts.buffer.size
  }

  /**
   * Counts a call, now. It takes about a microsecond and never waits: the store has the event within `flushEveryMs`.
   * Without a `who`, or with no place in the buffer, the event is dropped, and counted as dropped.
   * @throws FST_RSP_TRACKING_METRIC_INVALID
   */
  observe (metric: string, who: string | number | null | undefined): void {
    const { buffer, clock, flusher, identities, onDrop, onEvent } = this.#parts
    if (!this.declare(metric)) return onDrop(1, 'too many metrics')
    const id = identities.idOf(who)
    if (id === '') return onDrop(1, 'nobody')
    if (this.#closed) return onDrop(1, 'closed')
    const nowMs = clock.wallMs()
    if (!buffer.add(metric, id, nowMs) && !(flusher.makeRoom(metric) && buffer.add(metric, id, nowMs))) return onDrop(1, 'buffer full')
    onEvent()
    flusher.added()
  }

  /** Distinct callers of a metric. @throws FST_RSP_TRACKING_METRIC_INVALID */
  unique (metric: string): UniqueCount {
    const { store, calendar, clock, identities } = this.#parts
    return new UniqueCount(checkMetric(metric), { store, calendar, clock, keyIds: identities.keyIds, flush: () => this.flush() })
  }

  /**
   * Those who called most often, the first first; without a window, of all time.
   * @throws FST_RSP_TRACKING_METRIC_INVALID, _K_INVALID, _WINDOW, or a `LinkError` when Redis does not answer
   */
  async top (metric: string, { k = 10, ...window }: TopOptions = {}): Promise<TopCaller[]> {
    const { store, identities } = this.#parts
    if (!Number.isInteger(k) || k < 1 || k > maxK) throw new FST_RSP_TRACKING_K_INVALID(maxK, inspect(k, { maxStringLength: 40 }))
    const buckets = this.#buckets(checkMetric(metric), window)
    await this.flush()
    const tops = await store.top(metric, buckets, { limit: buckets === 'all' ? k : 0, schemes: identities.schemes })
    return topCallers(tops, k, identities)
  }

  /**
   * The exact number of calls; without a window, of all time.
   * @throws FST_RSP_TRACKING_METRIC_INVALID, _WINDOW, or a `LinkError` when Redis does not answer
   */
  async calls (metric: string, window: WindowOptions = {}): Promise<number> {
    const buckets = this.#buckets(checkMetric(metric), window)
    await this.flush()
    return await this.#parts.store.calls(metric, buckets)
  }

  /**
   * Distinct callers of today, of a week and of a month, over several metrics together, each caller once.
   * @param options.metrics - by default all that this process has routes for or has observed
   * @throws FST_RSP_TRACKING_METRIC_INVALID, or a `LinkError` when Redis does not answer
   */
  async active ({ metrics = [...this.#metrics] }: { metrics?: readonly string[] } = {}): Promise<ActiveCallers> {
    const { store, calendar, clock, identities } = this.#parts
    const names = metrics.map(checkMetric)
    await this.flush()
    return await activeCallers(names, { store, calendar, clock, keyIds: identities.keyIds })
  }

  /**
   * What the top lists of all metrics, of all processes, hold of one caller.
   * @throws FST_RSP_TRACKING_ID_INVALID, or a `LinkError` when Redis does not answer
   */
  async export (who: string | number): Promise<MetricExport[]> {
    this.#checkId(who)
    await this.flush()
    return await exportCaller(who, this.#personalData)
  }

  /**
   * Removes one caller from the top lists of all metrics, and from unique counts that are few enough to be kept one by one. What
   * any process saw of him until the end of this minute is left out when it comes. Numbers of calls stay. Where a metric
   * cannot be reached the others are done all the same, and then it rejects: it can be called again.
   * @throws FST_RSP_TRACKING_ID_INVALID, or a `LinkError` when Redis does not answer
   */
  async erase (who: string | number): Promise<Erasure> {
    this.#checkId(who)
    await this.flush()
    return await eraseCaller(who, this.#personalData)
  }

  /**
   * Makes a metric known before it is observed; false when there are too many.
   * @throws FST_RSP_TRACKING_METRIC_INVALID
   */
  declare (metric: string): boolean {
    return this.#metrics.has(metric) || this.#admit(metric)
  }

  /** Resolves when all that was observed before has been offered to the store; it never rejects. */
  flush (): Promise<void> {
    return this.#parts.flusher.flush()
  }

  /** Flushes for the last time; what is observed from now on is dropped. */
  async close (): Promise<void> {
    this.#closed = true
    await this.#parts.flusher.close()
  }

  get #personalData () {
    const { store, identities, calendar, clock } = this.#parts
    return { store, identities, calendar, clock, ownMetrics: this.#metrics }
  }

  // The id itself is personal: an error does not tell it.
  #checkId (who: unknown): void {
    if (this.#parts.identities.idOf(who) === '') throw new FST_RSP_TRACKING_ID_INVALID(who === '' ? 'an empty string' : typeof who === 'number' ? String(who) : `a value of type ${typeof who}`)
  }

  #buckets (metric: string, { since, until }: WindowOptions) {
    if (since === undefined && until === undefined) return 'all'
    return resolveWindow({ since, until }, this.#parts.clock.wallMs(), this.#parts.calendar.keep).buckets
  }

  #admit (metric: string): boolean {
    checkMetric(metric)
    if (this.#metrics.size >= this.#parts.maxMetrics) return false
    this.#metrics.add(metric)
    this.#parts.flusher.declare(metric)
    return true
  }
}
