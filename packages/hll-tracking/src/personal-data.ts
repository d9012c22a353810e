import type { Clock, LinkError } from '@respite/redis'
import { type Calendar, type Granularity, type KeptBucket, startOf } from './buckets.ts'
import type { Identities } from './identity.ts'
import type { TopEntry } from './space-saving.ts'
import type { FoundEntry, TrackingStore } from './stores/store.ts'

// Metrics in a row without an answer, each after a deadline of a second: with one node of a Cluster away so many are unlikely.
const maxUnanswered = 10

/** An entry in the top list of a minute, hour or day. */
export interface BucketEntry extends TopEntry {
  by: Granularity
  /** Zone of the calendar day. */
  tz: string
  /** When it begins: `2026-05-10` for a day, an instant of ISO 8601 otherwise. */
  start: string
}

/** What the top lists of a metric hold of one caller. */
export interface MetricExport {
  metric: string
  /** The entry in the all-time list; undefined when there is none. */
  total: TopEntry | undefined
  /** Entries in the lists of minutes, hours and days. */
  buckets: BucketEntry[]
}

/** What was removed. */
export interface Erasure {
  /** Metrics that were looked through. */
  metrics: number
  /** Entries that were removed, of top lists and of ids that are kept one by one. */
  entries: number
}

export interface PersonalDataParts {
  store: TrackingStore
  identities: Identities
  calendar: Calendar
  clock: Clock
  /** Metrics of this process: those of others are found by the store. */
  ownMetrics: ReadonlySet<string>
}

/** Finds what the top lists hold of a caller, by metric; metrics that hold nothing are left out. */
export async function exportCaller (who: string | number, parts: PersonalDataParts): Promise<MetricExport[]> {
  const { store, identities, calendar, clock } = parts
  const traces = identities.tracesOf(who)
  const kept = calendar.kept(clock.wallMs())
  const buckets = kept.map(({ bucket }) => bucket)
  const exports: MetricExport[] = []
  await ofEach(await allMetrics(parts), async metric => {
    const found = await store.find(metric, buckets, traces)
    if (found.length > 0) exports.push(exportOf(metric, kept, found))
  })
  return exports
}

/**
 * Removes what the top lists hold of a caller, and what sketches hold that keep ids one by one: a metric at a time, each as a whole.
 * @throws when all that can be done is done: the error of the first metric that could not
 */
export async function eraseCaller (who: string | number, parts: PersonalDataParts): Promise<Erasure> {
  const { store, identities, calendar, clock } = parts
  const traces = identities.tracesOf(who)
  const buckets = calendar.kept(clock.wallMs()).map(({ bucket }) => bucket)
  const metrics = await allMetrics(parts)
  let entries = 0
  await ofEach(metrics, async metric => { entries += await store.erase(metric, buckets, traces) })
  return { metrics: metrics.length, entries }
}

// One after the other: each holds the server for some milliseconds. One that cannot be done must not keep the others from it,
// unless nothing answers any more.
async function ofEach (metrics: readonly string[], work: (metric: string) => Promise<void>): Promise<void> {
  const failures: unknown[] = []
  let unanswered = 0
  for (const metric of metrics) {
    try {
      await work(metric)
      unanswered = 0
    } catch (error) {
      failures.push(error)
      unanswered = (error as LinkError).reply === undefined ? unanswered + 1 : 0
      if (unanswered >= maxUnanswered) break
    }
  }
  if (failures.length > 0) throw failures[0]
}

async function allMetrics ({ store, ownMetrics }: PersonalDataParts): Promise<string[]> {
  return Array.from(new Set([...ownMetrics, ...await store.metrics()])).sort()
}

// By several keys a caller may have several entries in one list.
function exportOf (metric: string, kept: readonly KeptBucket[], found: readonly FoundEntry[]): MetricExport {
  const sums = new Map<FoundEntry['bucket'], TopEntry>()
  for (const { bucket, count, maxOver } of found) {
    const sum = sums.get(bucket) ?? { count: 0, maxOver: 0 }
    sums.set(bucket, { count: sum.count + count, maxOver: sum.maxOver + maxOver })
  }
  const buckets = kept.flatMap(({ by, tz, bucket }) => {
    const entry = sums.get(bucket)
    return entry === undefined ? [] : [{ by, tz, start: startOf(bucket, by), ...entry }]
  })
  return { metric, total: sums.get(undefined), buckets }
}
