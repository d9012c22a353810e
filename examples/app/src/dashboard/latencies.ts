import { bucketAt, type Counted, estimatedPercentile } from './buckets.ts'
import type { TimeWithin } from './frame.ts'
import { HistogramWindow } from './histogram-window.ts'
import type { Labels, MetricValues } from './metric-values.ts'

/** The tiers of the cache as its metric names them, and the commands of Redis. */
export type Tier = 'l1' | 'l2' | 'factory' | 'redis'

const tiers: readonly Tier[] = ['l1', 'l2', 'factory', 'redis']
const shownSeconds = 10
const longestSeconds = 60

// Writes and drops are counted under the tiers, too.
const reads = (tier: Tier): Labels[] => ['get', 'getOrSet'].map(operation => ({ operation, tier }))

/** How long it took lately, by tier; looked at once a second. */
export class Latencies {
  readonly #values: MetricValues
  readonly #windows = new Map(tiers.map(tier => [tier, new HistogramWindow(longestSeconds)]))
  // All of them, whereas few are measured.
  readonly #hitsL1 = new HistogramWindow(longestSeconds)

  constructor (values: MetricValues) {
    this.#values = values
    this.look()
  }

  look (): void {
    for (const [tier, window] of this.#windows) window.look(this.#counted(tier))
    this.#hitsL1.look({ bounds: [], counts: [this.#values.sum('cache_hits_total', { cache_type: 'l1' })] })
  }

  /** Of the last ten seconds, in milliseconds, estimated; null where nothing was measured. */
  of (tier: Tier, part: number): number | null {
    const seconds = estimatedPercentile(this.#windows.get(tier)!.last(shownSeconds), part)
    return seconds === undefined ? null : seconds * 1_000
  }

  /** Of all reads of the cache in the last minute, those from memory as those of them that were measured; null where none was. */
  ofReads (part: number): TimeWithin | null {
    const [l1, l2] = [this.#windows.get('l1')!.last(), this.#windows.get('l2')!.last()]
    const hits = this.#hitsL1.last().counts[0]!
    const measured = l1.counts.reduce((sum, count) => sum + count, 0)
    // Memory is faster than anything else: what was not measured comes first, in a bucket of which nothing is known.
    const counts = l2.counts.map((count, i) => count + (measured === 0 ? 0 : l1.counts[i]! * hits / measured))
    const bucket = bucketAt({ bounds: [0, ...l2.bounds], counts: [measured === 0 ? hits : 0, ...counts] }, part)
    if (bucket === undefined || bucket.upTo === 0) return null
    return { aboveMs: bucket.above * 1_000, upToMs: bucket.upTo === undefined ? null : bucket.upTo * 1_000 }
  }

  #counted (tier: Tier): Counted {
    if (tier === 'redis') return this.#values.counted('redis_command_duration_seconds')
    return this.#values.counted('cache_operation_duration_seconds', ...(tier === 'factory' ? [{ tier }] : reads(tier)))
  }
}
