/** What a bucket holds: a UTC minute, hour or day, or a calendar day of another zone. */
export type Granularity = 'minute' | 'hour' | 'day'

/** All granularities, the finest first. */
export const finestFirst = ['minute', 'hour', 'day'] as const

/** A stretch of time that is counted by itself. */
export interface Bucket {
  /** The part of its keys that says which it is: `202611210444`, `2026112104`, `20261121`, `20261121@Europe/Paris`. */
  readonly name: string
  /** Milliseconds since the epoch, inclusive. */
  readonly startMs: number
  /** Milliseconds since the epoch, exclusive. */
  readonly endMs: number
  /** How long it is kept after its end, in ms. */
  readonly keepMs: number
}

/** A bucket, and of what it is one. */
export interface KeptBucket {
  readonly by: Granularity
  readonly tz: string
  readonly bucket: Bucket
}

/** How long the buckets are kept after their end, in ms. */
export type Keep = Readonly<Record<Granularity, number>>

/** Milliseconds of a bucket. */
export const sizeMs: Readonly<Record<Granularity, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

/** A step through calendar days of a zone: shorter than any of them, so that none is leapt over. */
export const dayStepMs = 12 * sizeMs.hour

const nameLength: Readonly<Record<Granularity, number>> = { minute: 12, hour: 10, day: 8 }

/** The start of the bucket that holds a time. */
export function floorTo (granularity: Granularity, ms: number): number {
  return Math.floor(ms / sizeMs[granularity]) * sizeMs[granularity]
}

/** The bucket that holds a time. */
export function bucketAt (granularity: Granularity, ms: number, keep: Keep): Bucket {
  const startMs = floorTo(granularity, ms)
  const name = new Date(startMs).toISOString().replace(/[-T:]/g, '').slice(0, nameLength[granularity])
  return { name, startMs, endMs: startMs + sizeMs[granularity], keepMs: keep[granularity] }
}

/** When a bucket begins, as people read it: `2026-05-10` for a day, an instant of ISO 8601 otherwise. */
export function startOf ({ name, startMs }: Bucket, by: Granularity): string {
  return by === 'day' ? `${name.slice(0, 4)}-${name.slice(4, 6)}-${name.slice(6, 8)}` : new Date(startMs).toISOString()
}

/** How long a bucket has to live yet, in ms; 0 or less when it is no longer kept. */
export function remainingMs (bucket: Bucket, nowMs: number): number {
  return bucket.endMs + bucket.keepMs - nowMs
}

/** Which buckets there are, and how long. */
export class Calendar {
  readonly keep: Keep
  readonly zones: readonly string[]
  readonly #days: ReadonlyMap<string, Intl.DateTimeFormat>
  #minuteMs = Number.NaN
  #buckets: readonly Bucket[] = []

  /** @param zones - names of the time zones whose calendar days have buckets; UTC always has */
  constructor (keep: Keep, zones: readonly string[]) {
    this.keep = keep
    this.zones = zones
    this.#days = new Map(zones.filter(zone => zone !== 'UTC').map(zone => [zone, dayFormat(zone)]))
  }

  /** All buckets in which an event of this minute counts. */
  bucketsOf (minuteMs: number): readonly Bucket[] {
    if (minuteMs !== this.#minuteMs) {
      const utc = finestFirst.map(granularity => bucketAt(granularity, minuteMs, this.keep))
      this.#buckets = [...utc, ...Array.from(this.#days.keys(), zone => this.dayOf(zone, minuteMs))]
      this.#minuteMs = minuteMs
    }
    return this.#buckets
  }

  /** All buckets that a store may have now, also where a clock differs by a little. */
  kept (nowMs: number): KeptBucket[] {
    const utc = finestFirst.flatMap(by => {
      const first = floorTo(by, nowMs - this.keep[by]) - 2 * sizeMs[by]
      const count = Math.floor((nowMs - first) / sizeMs[by]) + 2
      return Array.from({ length: count }, (_, i) => ({ by, tz: 'UTC', bucket: bucketAt(by, first + i * sizeMs[by], this.keep) }))
    })
    const zoned = Array.from(this.#days.keys()).flatMap(tz => {
      const days = new Map<string, Bucket>()
      for (let ms = nowMs - this.keep.day - 3 * sizeMs.day; ms <= nowMs + sizeMs.day; ms += dayStepMs) {
        const day = this.dayOf(tz, ms)
        days.set(day.name, day)
      }
      return Array.from(days.values(), bucket => ({ by: 'day' as const, tz, bucket }))
    })
    return [...utc, ...zoned]
  }

  /** The calendar day of a zone that holds a time. Outside UTC, `startMs` and `endMs` are bounds: the day lies between them. */
  dayOf (zone: string, ms: number): Bucket {
    const format = this.#days.get(zone)
    if (format === undefined) return bucketAt('day', ms, this.keep)
    const date = format.format(ms).replaceAll('-', '')
    // A day has at most 25 hours, and in one that begins here at most as many are to come.
    const longestDayMs = 25 * sizeMs.hour
    return { name: `${date}@${zone}`, startMs: ms - longestDayMs, endMs: ms + longestDayMs, keepMs: this.keep.day }
  }
}

// Sweden writes dates as ISO 8601 does.
const dayFormat = (timeZone: string) => new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
