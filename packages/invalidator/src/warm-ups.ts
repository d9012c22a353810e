import { inspect } from 'node:util'
import type { FastifyBaseLogger } from 'fastify'
import { type Clock, type Invalidation, type Metrics, durationMs } from '@respite/redis'
import { FST_RSP_INVALIDATOR_WARM_UP_INVALID } from './errors.ts'
import { metrics } from './metrics.ts'
import type { ResolvedOptions } from './options.ts'
import { type WarmEntry, type WarmUp, type WarmUpOptions, type WarmUpReport, warm } from './warm-up.ts'

/** What warm-ups work with. */
export interface WarmUpsParts {
  invalidation (): Invalidation
  readonly clock: Clock
  readonly metrics: Metrics
  readonly log: Pick<FastifyBaseLogger, 'error'>
  readonly options: Pick<ResolvedOptions, 'concurrency' | 'budget'>
}

const mostAtOnce = 1_000

/** The warm-ups of an app, from its boot to its close. */
export class WarmUps {
  readonly #parts: WarmUpsParts
  readonly #closing = new AbortController()
  readonly #atReady: (() => Promise<void>)[] = []

  constructor (parts: WarmUpsParts) {
    this.#parts = parts
  }

  /** @throws FST_RSP_DURATION_INVALID, FST_RSP_INVALIDATOR_WARM_UP_INVALID */
  start (entries: readonly WarmEntry[], options: WarmUpOptions): Promise<WarmUpReport> {
    const plan = this.#planOf(entries, options)
    if (options.onReady !== true) return this.#run(plan)
    return new Promise((resolve, reject) => { this.#atReady.push(() => this.#run(plan).then(resolve, reject)) })
  }

  async ready (): Promise<void> {
    await Promise.all(this.#atReady.splice(0).map(run => run()))
  }

  close (): void {
    this.#closing.abort()
  }

  async #run (plan: WarmUp): Promise<WarmUpReport> {
    const { invalidation, clock, metrics: port } = this.#parts
    const report = await warm(plan, invalidation(), clock)
    const counter = port.counter(metrics.warmUps)
    counter.of('loaded').inc(report.loaded)
    counter.of('unstored').inc(report.unstored.length)
    counter.of('failed').inc(report.failed.length)
    counter.of('skipped').inc(report.skipped.length)
    return report
  }

  #planOf (entries: readonly WarmEntry[], { concurrency = this.#parts.options.concurrency, budget, onProgress = () => undefined }: WarmUpOptions): WarmUp {
    if (!Number.isInteger(concurrency) || concurrency < 1 || concurrency > mostAtOnce) throw invalid('concurrency', concurrency)
    if (typeof onProgress !== 'function') throw invalid('onProgress', onProgress)
    if (!Array.isArray(entries)) throw invalid('entries', entries)
    return {
      entries: entries.map(planned),
      concurrency,
      budgetMs: budget === undefined ? this.#parts.options.budget : durationMs(budget, 'budget'),
      closing: this.#closing.signal,
      onProgress: (done, of) => {
        try {
          onProgress(done, of)
        } catch (error) {
          // Who watches does not stop what is watched.
          this.#parts.log.error({ err: error }, 'onProgress of a warm-up failed')
        }
      }
    }
  }
}

function planned (entry: WarmEntry, i: number): WarmUp['entries'][number] {
  if (typeof entry !== 'object' || entry === null) throw invalid(`entries[${i}]`, entry)
  const { key, load, ttl } = entry
  if (typeof key !== 'string') throw invalid(`entries[${i}].key`, key)
  if (typeof load !== 'function') throw invalid(`entries[${i}].load`, load)
  return { key, load, ttlMs: ttl === undefined ? undefined : durationMs(ttl, `entries[${i}].ttl`) }
}

const invalid = (path: string, value: unknown) => new FST_RSP_INVALIDATOR_WARM_UP_INVALID(path, inspect(value, { depth: 0, maxStringLength: 100 }))
