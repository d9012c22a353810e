import type { FastifyInstance } from 'fastify'
import { cacheCountsOf } from './cache-counts.ts'
import type { RouteDecisions, Totals } from './frame.ts'
import type { Latencies } from './latencies.ts'
import type { MetricValues } from './metric-values.ts'
import type { Pseudonyms } from './pseudonyms.ts'

const breakerStates = ['closed', 'half-open', 'open'] as const
const mostDecisions = 50
const mostLimited = 10

/** What the totals are read from. */
export interface TotalsSources {
  app: FastifyInstance
  values: MetricValues
  latencies: Latencies
  pseudonyms: Pseudonyms
}

/** All counts since the start of this process; the gauges among them as the last sample has found them. */
export function totalsOf ({ app, values, latencies, pseudonyms }: TotalsSources): Totals {
  const { link } = app.respite
  const ttl = values.counted('cache_entry_ttl_seconds')
  return {
    ...cacheCountsOf(values),
    entries: values.sum('cache_entries'),
    bytes: values.sum('cache_bytes'),
    readP99: latencies.ofReads(0.99),
    ttl: ttl.counts.map((entries, i) => ({ upToSeconds: ttl.bounds[i] ?? null, entries })),
    decisions: decisionsOf(values),
    limited: app.rateLimit.top(mostLimited).map(({ limit, key, refused }) => ({ limit, who: pseudonyms.of(key), refused })),
    sessionEvents: Object.fromEntries(values.lines('session_events_total').map(({ labels, value }) => [labels.event!, value])),
    redis: {
      state: link.state,
      reason: link.reason ?? null,
      breaker: breakerStates[values.sum('redis_breaker_state')] ?? 'open',
      localCopies: app.respite.invalidations.armed,
      queuedInvalidations: app.cache.stats().queued
    }
  }
}

function decisionsOf (values: MetricValues): RouteDecisions[] {
  const rows = new Map<string, RouteDecisions>()
  for (const { labels, value } of values.lines('rate_limit_decisions_total')) {
    const [route, limit] = [labels.route!, labels.limit!]
    const name = JSON.stringify([route, limit])
    const row = rows.get(name) ?? { route, limit, allowed: 0, refused: 0, other: 0 }
    row[labels.decision === 'allowed' || labels.decision === 'refused' ? labels.decision : 'other'] += value
    rows.set(name, row)
  }
  const all = ({ allowed, refused, other }: RouteDecisions) => allowed + refused + other
  return Array.from(rows.values()).sort((a, b) => all(b) - all(a)).slice(0, mostDecisions)
}
