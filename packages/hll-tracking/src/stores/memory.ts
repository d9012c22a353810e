import type { Clock } from '@respite/redis'
import { type Bucket, type Calendar, remainingMs } from '../buckets.ts'
import type { Traces } from '../identity.ts'
import { cardinalityOf, type Cardinality, type Sketch, unionOf } from '../sketch.ts'
import { SpaceSaving } from '../space-saving.ts'
import { DistinctIds } from './distinct-ids.ts'
import { Erasures } from './erasures.ts'
import { type Batch, type BatchEntry, type BucketTop, byCalls, type FoundEntry, rememberedMs, type TopCapacity, type TopWanted, type TrackingStore } from './store.ts'

interface Tops {
  calls: number
  readonly callsByScheme: Map<string, number>
  readonly top: SpaceSaving
}

interface Counts extends Tops {
  readonly untilMs: number
  readonly distinctByKey: Map<string, DistinctIds>
}

interface MetricCounts {
  readonly total: Tops
  untilMs: number
  readonly buckets: Map<string, Counts>
  /** Last sequence of each origin: in memory, that is this process. */
  readonly marks: Map<string, number>
  readonly erasures: Erasures
}

export interface MemoryStoreOptions {
  calendar: Calendar
  clock: Clock
  capacity: TopCapacity
}

const sweepEveryMs = 60_000

/** Counts in this process, with the registers Redis would have. */
export class MemoryStore implements TrackingStore {
  readonly #options: MemoryStoreOptions
  // A Map, not an object: names may come from users.
  readonly #metrics = new Map<string, MetricCounts>()
  #sweptMs = 0

  constructor (options: MemoryStoreOptions) {
    this.#options = options
  }

  async apply ({ metric, minuteMs, origin, sequence, keyId, scheme, entries }: Batch): Promise<boolean> {
    const { calendar, clock } = this.#options
    const nowMs = clock.wallMs()
    this.#sweep(nowMs)
    const counts = this.#metric(metric)
    if ((counts.marks.get(origin) ?? 0) >= sequence) return false
    counts.marks.set(origin, sequence)
    counts.untilMs = nowMs + calendar.keep.day
    const calls = entries.reduce((sum, entry) => sum + entry.calls, 0)
    const listed = byCalls(entries).filter(({ keyed }) => !counts.erasures.holds(keyed, minuteMs))
    addCalls(counts.total, calls, scheme, listed)
    for (const bucket of calendar.bucketsOf(minuteMs)) {
      if (remainingMs(bucket, nowMs) <= 0) continue
      const at = this.#bucket(counts, bucket)
      addCalls(at, calls, scheme, listed)
      addDistinct(at, keyId, listed)
    }
    return true
  }

  async count (metric: string, buckets: readonly Bucket[], keyId: string): Promise<Cardinality> {
    return cardinalityOf(await this.sketch(metric, buckets, keyId))
  }

  async sketch (metric: string, buckets: readonly Bucket[], keyId: string): Promise<Sketch> {
    const distinct = this.#found(metric, buckets).map(({ distinctByKey }) => distinctByKey.get(keyId))
    return unionOf(distinct.filter(ids => ids !== undefined).map(({ sketch }) => sketch))
  }

  async top (metric: string, buckets: readonly Bucket[] | 'all', { limit, schemes }: TopWanted): Promise<BucketTop[]> {
    return this.#tops(metric, buckets).map(({ top, calls, callsByScheme }) => {
      const entries = Array.from(top.entries(), ([member, { count, maxOver }]) => [member, { count, maxOver }] as const)
      if (limit > 0 && callsByScheme.size === 1) entries.sort(([a, { count: m }], [b, { count: n }]) => n - m || (a < b ? 1 : -1)).splice(limit)
      return { floor: top.floor, calls, callsByScheme: new Map(schemes.map(scheme => [scheme, callsByScheme.get(scheme) ?? 0])), entries: new Map(entries) }
    })
  }

  async calls (metric: string, buckets: readonly Bucket[] | 'all'): Promise<number> {
    return this.#tops(metric, buckets).reduce((sum, { calls }) => sum + calls, 0)
  }

  // A process finds its own.
  async register (): Promise<void> {}

  async metrics (): Promise<string[]> {
    return [...this.#metrics.keys()]
  }

  async find (metric: string, buckets: readonly Bucket[], { members }: Traces): Promise<FoundEntry[]> {
    const counts = this.#metrics.get(metric)
    if (counts === undefined) return []
    const lists = [{ bucket: undefined, top: counts.total.top }, ...buckets.map(bucket => ({ bucket, top: counts.buckets.get(bucket.name)?.top }))]
    return lists.flatMap(({ bucket, top }) => members.flatMap(member => {
      const entry = top?.get(member.toString('latin1'))
      return entry === undefined ? [] : [{ bucket, count: entry.count, maxOver: entry.maxOver }]
    }))
  }

  async erase (metric: string, buckets: readonly Bucket[], { members, keyed }: Traces): Promise<number> {
    const nowMs = this.#options.clock.wallMs()
    // Also of one that was never counted: its first events may be on their way.
    const counts = this.#metric(metric)
    counts.untilMs = Math.max(counts.untilMs, nowMs + rememberedMs)
    for (const { id } of keyed) counts.erasures.note(id, nowMs)
    const found = this.#found(metric, buckets)
    const lists = [counts.total, ...found].flatMap(({ top }) => members.map(member => top.remove(member.toString('latin1'))))
    const sketches = found.flatMap(({ distinctByKey }) => keyed.map(({ keyId, id }) => distinctByKey.get(keyId)?.remove(id)))
    return [...lists, ...sketches].filter(Boolean).length
  }

  #tops (metric: string, buckets: readonly Bucket[] | 'all'): Tops[] {
    if (buckets !== 'all') return this.#found(metric, buckets)
    const total = this.#metrics.get(metric)?.total
    return total === undefined ? [] : [total]
  }

  #found (metric: string, buckets: readonly Bucket[]): Counts[] {
    const counts = this.#metrics.get(metric)
    return buckets.map(({ name }) => counts?.buckets.get(name)).filter(found => found !== undefined)
  }

  #metric (metric: string): MetricCounts {
    let counts = this.#metrics.get(metric)
    if (counts === undefined) {
      counts = { total: emptyTops(this.#options.capacity.total), untilMs: 0, buckets: new Map(), marks: new Map(), erasures: new Erasures() }
      this.#metrics.set(metric, counts)
    }
    return counts
  }

  #bucket (counts: MetricCounts, bucket: Bucket): Counts {
    let found = counts.buckets.get(bucket.name)
    if (found === undefined) {
      found = { ...emptyTops(this.#options.capacity.bucket), untilMs: bucket.endMs + bucket.keepMs, distinctByKey: new Map() }
      counts.buckets.set(bucket.name, found)
    }
    return found
  }

  #sweep (nowMs: number): void {
    if (Math.abs(nowMs - this.#sweptMs) < sweepEveryMs) return
    this.#sweptMs = nowMs
    for (const [metric, { buckets, untilMs }] of this.#metrics) {
      if (untilMs <= nowMs) this.#metrics.delete(metric)
      else for (const [name, bucket] of buckets) if (bucket.untilMs <= nowMs) buckets.delete(name)
    }
  }
}

const emptyTops = (capacity: number): Tops => ({ calls: 0, callsByScheme: new Map(), top: new SpaceSaving(capacity) })

function addCalls (to: Tops, calls: number, scheme: string, listed: readonly BatchEntry[]): void {
  to.calls += calls
  to.callsByScheme.set(scheme, (to.callsByScheme.get(scheme) ?? 0) + calls)
  to.top.add(listed.map(({ member, calls }) => ({ member: member.toString('latin1'), calls })))
}

function addDistinct (to: Counts, keyId: string, entries: readonly BatchEntry[]): void {
  let distinct = to.distinctByKey.get(keyId)
  if (distinct === undefined) to.distinctByKey.set(keyId, distinct = new DistinctIds())
  for (const { keyed } of entries) distinct.add(keyed)
}
