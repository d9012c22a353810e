import { type Clock, type Keyspace, type Link, loadScript } from '@respite/redis'
import { type Bucket, type Calendar, remainingMs, sizeMs } from '../buckets.ts'
import { decodeHyperLogLog } from '../hyperloglog/encoding.ts'
import type { Traces } from '../identity.ts'
import { keyedBytes } from '../identity-key.ts'
import { keys } from '../keys.ts'
import { type Cardinality, exactUpTo, type Sketch } from '../sketch.ts'
import type { TopEntry } from '../space-saving.ts'
import { type Batch, type BucketTop, byCalls, type FoundEntry, maxErasures, rememberedMs, type TopCapacity, type TopWanted, type TrackingStore } from './store.ts'

const flush = loadScript('tracking.flush', new URL('../../lua/flush.lua', import.meta.url))
const count = loadScript('tracking.count', new URL('../../lua/count.lua', import.meta.url))
const sketch = loadScript('tracking.sketch', new URL('../../lua/sketch.lua', import.meta.url), { reply: 'bytes' })
const top = loadScript('tracking.top', new URL('../../lua/top.lua', import.meta.url), { reply: 'bytes' })
const calls = loadScript('tracking.calls', new URL('../../lua/calls.lua', import.meta.url))
const register = loadScript('tracking.register', new URL('../../lua/register.lua', import.meta.url))
const find = loadScript('tracking.find', new URL('../../lua/find.lua', import.meta.url))
const erase = loadScript('tracking.erase', new URL('../../lua/erase.lua', import.meta.url))

// Nobody in a request waits for these: a slow answer is better than asking twice.
const deadlineMs = 1_000
// The clocks of two processes may differ a little; a bucket that a reader thinks kept should be there.
const slackMs = 60_000
// A name must outlive what was counted under it: a day's bucket begins to be kept at the day's end.
const nameSlackMs = 3 * sizeMs.day
const maxNames = 100_000
const namesAtOnce = 1_000
const all = 'all'

export interface RedisStoreOptions {
  keyspace: Keyspace
  calendar: Calendar
  clock: Clock
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
      mark: keyspace.define(keys.mark.template),
      erased: keyspace.define(keys.erased.template),
      names: keyspace.define(keys.names.template)
    }
  }

  async apply ({ metric, minuteMs, origin, sequence, keyId, scheme, entries: unsorted }: Batch): Promise<boolean> {
    const entries = byCalls(unsorted)
    const { calendar, capacity, clock } = this.#options
    const nowMs = clock.wallMs()
    const buckets = calendar.bucketsOf(minuteMs)
    const keys = [this.#keys.mark.key(metric, origin), ...this.#list(metric, all), this.#keys.erased.key(metric)]
    for (const bucket of buckets) keys.push(...this.#sketch(metric, keyId, bucket), ...this.#list(metric, bucket.name))
    const reply = await this.#link.run(flush, keys, [
      sequence, rememberedMs, calendar.keep.day, capacity.total, capacity.bucket, exactUpTo, minuteMs, fieldOf(scheme),
      Buffer.concat(entries.map(entry => entry.keyed)),
      ...buckets.map(bucket => lifeMs(bucket, nowMs)),
      ...entries.flatMap(entry => [entry.member, entry.calls])
    ])
    return Number(reply) === 1
  }

  async count (metric: string, buckets: readonly Bucket[], keyId: string): Promise<Cardinality> {
    const [exact, value] = await this.#link.run(count, this.#distinct(metric, buckets, keyId), [exactUpTo]) as [unknown, unknown]
    return { value: Number(value), exact: Number(exact) === 1 }
  }

  async sketch (metric: string, buckets: readonly Bucket[], keyId: string): Promise<Sketch> {
    const keys = [...this.#distinct(metric, buckets, keyId), this.#keys.scratch.key(metric)]
    const [exact, value] = await this.#link.run(sketch, keys, [exactUpTo]) as [unknown, Buffer]
    return Number(exact) === 1 ? { ids: idsOf(value) } : { registers: decodeHyperLogLog(value) }
  }

  async top (metric: string, buckets: readonly Bucket[] | 'all', { limit, schemes }: TopWanted): Promise<BucketTop[]> {
    const keys = namesOf(buckets).flatMap(name => this.#list(metric, name))
    return (await this.#link.run(top, keys, [limit, ...schemes.map(fieldOf)]) as Buffer[][]).map(reply => topOf(reply, schemes))
  }

  async calls (metric: string, buckets: readonly Bucket[] | 'all'): Promise<number> {
    return Number(await this.#link.run(calls, namesOf(buckets).map(name => this.#keys.calls.key(metric, name)), []))
  }

  async register (metrics: readonly string[]): Promise<void> {
    const keepMs = this.#options.calendar.keep.day + nameSlackMs
    for (let at = 0; at < metrics.length; at += namesAtOnce) {
      await this.#link.run(register, [this.#keys.names.key()], [keepMs, maxNames, ...metrics.slice(at, at + namesAtOnce)])
    }
  }

  async metrics (): Promise<string[]> {
    return await this.#link.send('ZRANGE', this.#keys.names.key(), 0, -1) as string[]
  }

  async find (metric: string, buckets: readonly Bucket[], { members }: Traces): Promise<FoundEntry[]> {
    const keys = [all, ...namesOf(buckets)].flatMap(name => this.#list(metric, name))
    const reply = await this.#link.run(find, keys, members) as unknown[]
    const found: FoundEntry[] = []
    for (let i = 0; i < reply.length; i += 3) {
      const [place, count, maxOver] = reply.slice(i, i + 3).map(Number) as [number, number, number]
      found.push({ bucket: buckets[place - 1], count, maxOver })
    }
    return found
  }

  async erase (metric: string, buckets: readonly Bucket[], { members, keyed }: Traces): Promise<number> {
    const keys = [this.#keys.erased.key(metric), ...this.#list(metric, all)]
    for (const bucket of buckets) keys.push(...this.#list(metric, bucket.name), ...keyed.flatMap(({ keyId }) => this.#sketch(metric, keyId, bucket)))
    return Number(await this.#link.run(erase, keys, [rememberedMs, maxErasures, keyed.length, ...keyed.map(({ id }) => id), ...members]))
  }

  // A top list and its calls.
  #list (metric: string, name: string): [string, string] {
    return [this.#keys.top.key(metric, name), this.#keys.calls.key(metric, name)]
  }

  // The registers of a bucket and its few.
  #sketch (metric: string, keyId: string, bucket: Bucket): [string, string] {
    return [this.#keys.registers.key(metric, keyId, bucket.name), this.#keys.few.key(metric, keyId, bucket.name)]
  }

  #distinct (metric: string, buckets: readonly Bucket[], keyId: string): string[] {
    const sketches = buckets.map(bucket => this.#sketch(metric, keyId, bucket))
    return [...sketches.map(([registers]) => registers), ...sketches.map(([, few]) => few)]
  }
}

// Fields of the hash beside members: no member begins with '@'.
const fieldOf = (scheme: string) => `@${scheme}`

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

function topOf ([floor, calls, ...rest]: Buffer[], schemes: readonly string[]): BucketTop {
  const ranked = rest.slice(schemes.length)
  const entries = new Map<string, TopEntry>()
  for (let i = 0; i < ranked.length; i += 3) entries.set(ranked[i]!.toString('latin1'), { count: Number(ranked[i + 1]), maxOver: Number(ranked[i + 2]) })
  return { floor: Number(floor), calls: Number(calls), callsByScheme: new Map(schemes.map((scheme, i) => [scheme, Number(rest[i])])), entries }
}
