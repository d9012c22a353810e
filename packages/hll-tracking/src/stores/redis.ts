import { type Clock, type Keyspace, type Link, loadScript } from '@respite/redis'
import { type Bucket, type Calendar, remainingMs } from '../buckets.ts'
import { decodeHyperLogLog } from '../hyperloglog/encoding.ts'
import { keyedBytes } from '../identity.ts'
import { keys } from '../keys.ts'
import { type Cardinality, exactUpTo, type Sketch } from '../sketch.ts'
import type { TopEntry } from '../space-saving.ts'
import type { Summary } from '../top-merge.ts'
import { type Batch, byCalls, type TopCapacity, type TrackingStore } from './store.ts'

const flush = loadScript('tracking.flush', new URL('../../lua/flush.lua', import.meta.url))
const count = loadScript('tracking.count', new URL('../../lua/count.lua', import.meta.url))
const sketch = loadScript('tracking.sketch', new URL('../../lua/sketch.lua', import.meta.url), { reply: 'bytes' })
const top = loadScript('tracking.top', new URL('../../lua/top.lua', import.meta.url), { reply: 'bytes' })
const calls = loadScript('tracking.calls', new URL('../../lua/calls.lua', import.meta.url))

/** How long a process' last sequence is remembered: longer than any batch is sent again. */
const markMs = 25 * 3_600_000
// Nobody in a request waits for these: a slow answer is better than asking twice.
const deadlineMs = 1_000
// The clocks of two processes may differ a little; a bucket that a reader thinks kept should be there.
const slackMs = 60_000
const all = 'all'

export interface RedisStoreOptions {
  keyspace: Keyspace
  calendar: Calendar
  clock: Clock
  /** Of the key by which identities are made. */
  keyId: string
  capacity: TopCapacity
}

/** Counts in Redis: each call is one script on the keys of one metric, which lie in one slot. */
export class RedisStore implements TrackingStore {
  readonly #link: Link
  readonly #options: RedisStoreOptions
  readonly #keys

  constructor (link: Link, options: RedisStoreOptions) {
    this.#link = link.within(deadlineMs)
    this.#options = options
    const { keyspace } = options
    this.#keys = {
      registers: keyspace.define(keys.registers.template),
      few: keyspace.define(keys.few.template),
      top: keyspace.define(keys.top.template),
      calls: keyspace.define(keys.calls.template),
      scratch: keyspace.define(keys.scratch.template),
      mark: keyspace.define(keys.mark.template)
    }
  }

  async apply ({ metric, minuteMs, origin, sequence, entries: unsorted }: Batch): Promise<boolean> {
    const entries = byCalls(unsorted)
    const { calendar, capacity, clock } = this.#options
    const nowMs = clock.wallMs()
    const buckets = calendar.bucketsOf(minuteMs)
    const keys = [this.#keys.mark.key(metric, origin), this.#keys.top.key(metric, all), this.#keys.calls.key(metric, all)]
    for (const bucket of buckets) {
      keys.push(this.#registers(metric, bucket), this.#few(metric, bucket), this.#keys.top.key(metric, bucket.name), this.#keys.calls.key(metric, bucket.name))
    }
    const reply = await this.#link.run(flush, keys, [
      sequence, markMs, calendar.keep.day, capacity.total, capacity.bucket, exactUpTo,
      Buffer.concat(entries.map(entry => entry.keyed)),
      ...buckets.map(bucket => lifeMs(bucket, nowMs)),
      ...entries.flatMap(entry => [entry.member, entry.calls])
    ])
    return Number(reply) === 1
  }

  async count (metric: string, buckets: readonly Bucket[]): Promise<Cardinality> {
    const [exact, value] = await this.#link.run(count, this.#distinct(metric, buckets), [exactUpTo]) as [unknown, unknown]
    return { value: Number(value), exact: Number(exact) === 1 }
  }

  async sketch (metric: string, buckets: readonly Bucket[]): Promise<Sketch> {
    const keys = [...this.#distinct(metric, buckets), this.#keys.scratch.key(metric)]
    const [exact, value] = await this.#link.run(sketch, keys, [exactUpTo]) as [unknown, Buffer]
    return Number(exact) === 1 ? { ids: idsOf(value) } : { registers: decodeHyperLogLog(value) }
  }

  async top (metric: string, buckets: readonly Bucket[] | 'all', limit: number): Promise<Summary[]> {
    const keys = namesOf(buckets).flatMap(name => [this.#keys.top.key(metric, name), this.#keys.calls.key(metric, name)])
    return (await this.#link.run(top, keys, [limit]) as Buffer[][]).map(summaryOf)
  }

  async calls (metric: string, buckets: readonly Bucket[] | 'all'): Promise<number> {
    return Number(await this.#link.run(calls, namesOf(buckets).map(name => this.#keys.calls.key(metric, name)), []))
  }

  #distinct (metric: string, buckets: readonly Bucket[]): string[] {
    return [...buckets.map(bucket => this.#registers(metric, bucket)), ...buckets.map(bucket => this.#few(metric, bucket))]
  }

  #registers (metric: string, bucket: Bucket): string {
    return this.#keys.registers.key(metric, this.#options.keyId, bucket.name)
  }

  #few (metric: string, bucket: Bucket): string {
    return this.#keys.few.key(metric, this.#options.keyId, bucket.name)
  }
}

const namesOf = (buckets: readonly Bucket[] | 'all') => buckets === all ? [all] : buckets.map(bucket => bucket.name)

function lifeMs (bucket: Bucket, nowMs: number): number {
  const remaining = remainingMs(bucket, nowMs)
  return remaining > 0 ? remaining + slackMs : 0
}

function idsOf (packed: Buffer): Set<string> {
  const ids = new Set<string>()
  for (let at = 0; at < packed.length; at += keyedBytes) ids.add(packed.toString('latin1', at, at + keyedBytes))
  return ids
}

function summaryOf ([floor, ...ranked]: Buffer[]): Summary {
  const entries = new Map<string, TopEntry>()
  for (let i = 0; i < ranked.length; i += 3) entries.set(ranked[i]!.toString('latin1'), { count: Number(ranked[i + 1]), maxOver: Number(ranked[i + 2]) })
  return { floor: Number(floor), entries }
}
