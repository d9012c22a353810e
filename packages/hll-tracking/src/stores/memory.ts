import type { Clock } from '@respite/redis'
import { type Bucket, type Calendar, remainingMs } from '../buckets.ts'
import { Registers } from '../hyperloglog/registers.ts'
import { cardinalityOf, type Cardinality, exactUpTo, type Sketch, unionOf } from '../sketch.ts'
import { SpaceSaving } from '../space-saving.ts'
import type { Summary } from '../top-merge.ts'
import { type Batch, type BatchEntry, byCalls, type TopCapacity, type TrackingStore } from './store.ts'

interface Tops {
  calls: number
  readonly top: SpaceSaving
}

interface Counts extends Tops {
  readonly untilMs: number
  /** The keyed ids as latin1 while they are few; then the registers take over. */
  few: Set<string> | undefined
  registers: Registers | undefined
}

interface MetricCounts {
  readonly total: Tops
  untilMs: number
  readonly buckets: Map<string, Counts>
  /** Last sequence of each origin: in memory, that is this process. */
  readonly marks: Map<string, number>
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

  async apply ({ metric, minuteMs, origin, sequence, entries }: Batch): Promise<boolean> {
    const { calendar, clock } = this.#options
    const nowMs = clock.wallMs()
    this.#sweep(nowMs)
    const counts = this.#metric(metric)
    if ((counts.marks.get(origin) ?? 0) >= sequence) return false
    counts.marks.set(origin, sequence)
    counts.untilMs = nowMs + calendar.keep.day
    const batch = byCalls(entries).map(({ member, calls }) => ({ member: member.toString('latin1'), calls }))
    addCalls(counts.total, batch)
    for (const bucket of calendar.bucketsOf(minuteMs)) {
      if (remainingMs(bucket, nowMs) <= 0) continue
      const at = this.#bucket(counts, bucket)
      addCalls(at, batch)
      addDistinct(at, entries)
    }
    return true
  }

  async count (metric: string, buckets: readonly Bucket[]): Promise<Cardinality> {
    return cardinalityOf(await this.sketch(metric, buckets))
  }

  async sketch (metric: string, buckets: readonly Bucket[]): Promise<Sketch> {
    return unionOf(this.#found(metric, buckets).map(({ few, registers }) => registers === undefined ? { ids: few! } : { registers }))
  }

  async top (metric: string, buckets: readonly Bucket[] | 'all', limit: number): Promise<Summary[]> {
    return this.#tops(metric, buckets).map(({ top }) => {
      const entries = Array.from(top.entries(), ([member, { count, maxOver }]) => [member, { count, maxOver }] as const)
      if (limit > 0) entries.sort(([a, { count: m }], [b, { count: n }]) => n - m || (a < b ? 1 : -1)).splice(limit)
      return { floor: top.floor, entries: new Map(entries) }
    })
  }

  async calls (metric: string, buckets: readonly Bucket[] | 'all'): Promise<number> {
    return this.#tops(metric, buckets).reduce((sum, { calls }) => sum + calls, 0)
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
      counts = { total: { calls: 0, top: new SpaceSaving(this.#options.capacity.total) }, untilMs: 0, buckets: new Map(), marks: new Map() }
      this.#metrics.set(metric, counts)
    }
    return counts
  }

  #bucket (counts: MetricCounts, bucket: Bucket): Counts {
    let found = counts.buckets.get(bucket.name)
    if (found === undefined) {
      found = { calls: 0, top: new SpaceSaving(this.#options.capacity.bucket), untilMs: bucket.endMs + bucket.keepMs, few: new Set(), registers: undefined }
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

function addCalls (to: Tops, batch: readonly { member: string, calls: number }[]): void {
  for (const { calls } of batch) to.calls += calls
  to.top.add(batch)
}

function addDistinct (to: Counts, entries: readonly BatchEntry[]): void {
  for (const { keyed } of entries) {
    if (to.few === undefined) {
      to.registers!.add(keyed)
      continue
    }
    to.few.add(keyed.toString('latin1'))
    if (to.few.size <= exactUpTo) continue
    to.registers = new Registers()
    for (const id of to.few) to.registers.add(Buffer.from(id, 'latin1'))
    to.few = undefined
  }
}
