import type { CounterSeries, HistogramSeries, Metrics } from '@respite/redis'

/** Every metric of the cache. */
export const metrics = {
  hits: { kind: 'counter', name: 'cache_hits_total', help: 'Reads answered from the cache, by tier (l1: this process, l2: the store) and namespace.', labels: ['cache_type', 'entity_type'] },
  misses: { kind: 'counter', name: 'cache_misses_total', help: 'Reads a tier had no answer for.', labels: ['cache_type', 'entity_type'] },
  fills: { kind: 'counter', name: 'cache_fills_total', help: 'Runs of factories, by outcome: stored, refused (invalidated meanwhile), failed, skipped, unstored (no lease or no Redis).', labels: ['outcome'] },
  unreadable: { kind: 'counter', name: 'cache_unreadable_total', help: 'Records that could not be read: corrupt (dropped) or foreign (of another release, kept).', labels: ['reason'] },
  evictions: { kind: 'counter', name: 'cache_evictions_total', help: 'Local copies pushed out by the bounds.', labels: [] },
  entries: { kind: 'gauge', name: 'cache_entries', help: 'Local copies in this process.', labels: [] },
  bytes: { kind: 'gauge', name: 'cache_bytes', help: 'Their size in serialised form.', labels: [] },
  queued: { kind: 'gauge', name: 'cache_queued_invalidations', help: 'Invalidations that wait for Redis.', labels: [] },
  duration: { kind: 'histogram', name: 'cache_operation_duration_seconds', help: 'Time of operations; of those answered by l1, one in 64 is measured.', labels: ['operation', 'tier'] },
  ttl: { kind: 'histogram', name: 'cache_entry_ttl_seconds', help: 'Times to live of stored entries.', labels: [] },
  size: { kind: 'histogram', name: 'cache_entry_size_bytes', help: 'Sizes of stored entries, in serialised form.', labels: [] },
  invalidations: { kind: 'counter', name: 'cache_invalidations_total', help: 'Invalidations by what was named: key, soft, pattern, tag, clear.', labels: ['reason'] }
} as const

const latencyBounds = [0.000_001, 0.000_005, 0.000_025, 0.000_1, 0.000_5, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5]
const sizeBounds = [64, 256, 1_024, 4_096, 16_384, 65_536, 262_144, 1_048_576, 4_194_304]
const ttlBounds = [1, 10, 60, 300, 1_800, 3_600, 21_600, 86_400, 604_800, 2_592_000]

/** How a run of a factory ended. */
export type FillOutcome = 'stored' | 'refused' | 'failed' | 'skipped' | 'unstored'

/** What one namespace counts; the series are looked up once. */
export class Meters {
  readonly hitsL1: CounterSeries
  readonly hitsL2: CounterSeries
  readonly missesL1: CounterSeries
  readonly missesL2: CounterSeries
  readonly evictions: CounterSeries
  readonly #ttl: HistogramSeries
  readonly #size: HistogramSeries
  readonly #fills: Readonly<Record<FillOutcome, CounterSeries>>
  readonly #of: (metric: 'unreadable' | 'invalidations', label: string) => CounterSeries
  readonly #duration: (operation: string, tier: string) => HistogramSeries

  /** @param label - the namespace, as `entity_type` */
  constructor (port: Metrics, label: string) {
    const hits = port.counter(metrics.hits)
    const misses = port.counter(metrics.misses)
    const fills = port.counter(metrics.fills)
    const others = { unreadable: port.counter(metrics.unreadable), invalidations: port.counter(metrics.invalidations) }
    const duration = port.histogram({ ...metrics.duration, bucketBounds: latencyBounds })
    this.hitsL1 = hits.of('l1', label)
    this.hitsL2 = hits.of('l2', label)
    this.missesL1 = misses.of('l1', label)
    this.missesL2 = misses.of('l2', label)
    this.evictions = port.counter(metrics.evictions).of()
    this.#ttl = port.histogram({ ...metrics.ttl, bucketBounds: ttlBounds }).of()
    this.#size = port.histogram({ ...metrics.size, bucketBounds: sizeBounds }).of()
    this.#fills = { stored: fills.of('stored'), refused: fills.of('refused'), failed: fills.of('failed'), skipped: fills.of('skipped'), unstored: fills.of('unstored') }
    this.#of = (metric, text) => others[metric].of(text)
    this.#duration = (operation, tier) => duration.of(operation, tier)
  }

  filled (outcome: FillOutcome): void {
    this.#fills[outcome].inc()
  }

  stored (ttlMs: number, bytes: number): void {
    this.#ttl.observe(ttlMs / 1_000)
    this.#size.observe(bytes)
  }

  unreadable (reason: 'corrupt' | 'foreign'): void {
    this.#of('unreadable', reason).inc()
  }

  invalidated (reason: string): void {
    this.#of('invalidations', reason).inc()
  }

  took (operation: string, tier: string, ms: number): void {
    this.#duration(operation, tier).observe(ms / 1_000)
  }
}
