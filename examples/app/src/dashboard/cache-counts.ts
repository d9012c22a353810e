import type { CacheCounts } from './frame.ts'
import type { MetricValues } from './metric-values.ts'

/** The counts as the metrics have them now. */
export function cacheCountsOf (values: MetricValues): CacheCounts {
  return {
    hitsL1: values.sum('cache_hits_total', { cache_type: 'l1' }),
    hitsL2: values.sum('cache_hits_total', { cache_type: 'l2' }),
    // Whoever is missed here was missed by every tier.
    misses: values.sum('cache_misses_total', { cache_type: 'l2' }),
    fills: values.sum('cache_fills_total', { outcome: 'stored' }),
    invalidations: values.sum('cache_invalidations_total'),
    evictions: values.sum('cache_evictions_total')
  }
}
