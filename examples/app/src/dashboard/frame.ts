/** How much of the past the server keeps, and the browser shows. */
export const keptSeconds = 15 * 60

/**
 * What a second is told by, in the order in which a row holds it: how long it was, since timers come late; what it has
 * brought; how things stood at its end; and latencies of the ten seconds up to there, null where nothing was measured.
 */
export const sampleFields = [
  'atMs', 'seconds',
  'hitsL1', 'hitsL2', 'misses', 'fills', 'invalidations', 'evictions', 'allowed', 'refused', 'sessionsCreated', 'sessionsEnded',
  'entries', 'bytes', 'breaker',
  'l1P50Ms', 'l1P99Ms', 'l2P50Ms', 'l2P99Ms', 'factoryP99Ms', 'redisP50Ms', 'redisP99Ms'
] as const

/** The name of a value of a second. */
export type SampleField = typeof sampleFields[number]

/** A second of this process. */
export type Sample = Readonly<Record<SampleField, number | null>>

/** A sample on its way to a browser: its values in the order of the fields. */
export type SampleRow = ReadonlyArray<number | null>

/** How this process stands to Redis. */
export interface RedisState {
  state: 'embedded' | 'up' | 'degraded' | 'down'
  /** Why it is not up. */
  reason: string | null
  breaker: 'closed' | 'half-open' | 'open'
  /** Whether copies in this process may be used. */
  localCopies: boolean
  /** Invalidations that wait for Redis. */
  queuedInvalidations: number
}

/** What a limit decided on a route. */
export interface RouteDecisions {
  route: string
  limit: string
  allowed: number
  refused: number
  /** Passed or refused without being counted, since the store was away, or in shadow mode. */
  other: number
}

/** A time of which a histogram knows no more than its bucket. */
export interface TimeWithin {
  aboveMs: number
  /** Null: longer than any bucket reaches. */
  upToMs: number | null
}

/** What the cache has done since this process started. */
export interface CacheCounts {
  hitsL1: number
  hitsL2: number
  misses: number
  fills: number
  invalidations: number
  evictions: number
}

/** What this process has counted since it started, and how it is now. */
export interface Totals extends CacheCounts {
  entries: number
  bytes: number
  /** Of cache reads in the last minute. */
  readP99: TimeWithin | null
  /** Stored entries by their time to live: up to so many seconds, null beyond all bounds. */
  ttl: ReadonlyArray<{ upToSeconds: number | null, entries: number }>
  /** The most frequent first, at most 50. */
  decisions: readonly RouteDecisions[]
  /** Who was refused most; `who` is a keyed hash. */
  limited: ReadonlyArray<{ limit: string, who: string, refused: number }>
  sessionEvents: Readonly<Record<string, number>>
  redis: RedisState
}

/** Distinct callers, with the interval that holds the truth. */
export interface UniqueCallers {
  start: string
  value: number
  low: number
  high: number
  exact: boolean
}

/** What is asked of the stores; null where no answer came in time. */
export interface Answers {
  activeSessions: number | null
  /** The last 24, the oldest first. */
  uniqueByHour: readonly UniqueCallers[] | null
  /** The last 7, the oldest first; the last is today. */
  uniqueByDay: readonly UniqueCallers[] | null
  /** `who` is a keyed hash. */
  topCallers: ReadonlyArray<{ who: string, calls: number }> | null
  health: {
    status: string
    /** Of a PING just now. */
    redisLatencyMs: number | null
    redisSince: string
    redisServer: string | null
    parts: ReadonlyArray<{ name: string, status: string }>
  } | null
}

/** The first event: what is kept, or what has come since the last that the browser has. */
export interface History {
  rows: readonly SampleRow[]
  /** Whether the rows go on where the browser's end. */
  resumed: boolean
  totals: Totals
  /** Null until the stores were asked for the first time. */
  answers: Answers | null
  /** Whether the browser came in by the token, and can give its cookie back. */
  signedIn: boolean
}

/** The event of each second. */
export interface Second {
  row: SampleRow
  totals: Totals
}
