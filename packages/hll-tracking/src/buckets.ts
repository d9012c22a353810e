/** What a bucket holds: a UTC minute, hour or day, or a calendar day of another zone. */
export type Granularity = 'minute' | 'hour' | 'day'

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

/** How long the buckets are kept after their end, in ms. */
export type Keep = Readonly<Record<Granularity, number>>

/** Milliseconds of a bucket. */
export const sizeMs: Readonly<Record<Granularity, number>> = { minute: 60_000, hour: 3_600_000, day: 86_400_000 }

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
      const utc = (['minute', 'hour', 'day'] as const).map(granularity => bucketAt(granularity, minuteMs, this.keep))
      this.#buckets = [...utc, ...Array.from(this.#days.keys(), zone => this.dayOf(zone, minuteMs))]
      this.#minuteMs = minuteMs
    }
    return this.#buckets
  }

  /** The calendar day of a zone that holds a time. Outside UTC, `startMs` and `endMs` are bounds: the day lies between them. */
  dayOf (zone: string, ms: number): Bucket {
    const format = this.#days.get(zone)
    if (format === undefined) return bucketAt('day', ms, this.keep)
    const date = format.format(ms).replaceAll('-', '')
    // A day has at most 25 hours, and in one that begins here at most as many are to come.
    const day = 25 * sizeMs.hour
    return { name: `${date}@${zone}`, startMs: ms - day, endMs: ms + day, keepMs: this.keep.day }
  }
}

// Sweden writes dates as ISO 8601 does.
const dayFormat = (timeZone: string) => new Intl.DateTimeFormat('sv-SE', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' })
