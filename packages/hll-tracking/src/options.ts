import { defineOptions, type Duration, FST_RSP_OPTION_INVALID } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { inspect } from 'node:util'
import { sizeMs } from './buckets.ts'
import type { IdForm } from './identity-key.ts'

/** Whom a request is counted for; nobody, and it is not counted. */
export type Caller = string | number | undefined | null

/** Who makes a request: asked when the answer has left, so that it may take its time. */
export type Who = (request: FastifyRequest) => Caller | Promise<Caller>

/** Options of the plugin. */
export interface TrackingOptions {
  /** Secret by which identities are keyed, the same in all processes; at least 16 characters. With Redis it must be given. */
  key?: string
  /** Other keys under which ids may rest in Redis: earlier ones, or the one that comes next. What they made is shown, merged, exported and erased, never written. @default [] */
  previousKeys?: string[]
  /** Who makes a request. @default the user of the session, else the client's address */
  who?: Who
  /** Longest time an event waits in the buffer. @default 50 */
  flushEveryMs?: Duration
  /** Entries the buffer holds at most, one for each metric, minute and id. @default 10000 */
  maxBuffered?: number
  /** Metrics a process counts at most. @default 1000 */
  maxMetrics?: number
  /** How ids rest in the top lists. @default 'encrypted' */
  ids?: IdForm
  /** Members of the all-time top list. @default 2048 */
  topCapacity?: number
  /** Members of the top list of each minute, hour and day. @default 128 */
  bucketTopCapacity?: number
  /** Time zones whose calendar days are counted. @default ['UTC'] */
  zones?: string[]
  /** How long minutes are kept. @default '120m' */
  keepMinutesMs?: Duration
  /** How long hours are kept. @default '72h' */
  keepHoursMs?: Duration
  /** How long days and all-time totals are kept. @default '400d' */
  keepDaysMs?: Duration
}

/** Options as they hold. */
export interface ResolvedTrackingOptions {
  key: string | undefined
  previousKeys: readonly string[]
  who: Who | undefined
  flushEveryMs: number
  maxBuffered: number
  maxMetrics: number
  ids: IdForm
  topCapacity: number
  bucketTopCapacity: number
  zones: readonly string[]
  keepMinutesMs: number
  keepHoursMs: number
  keepDaysMs: number
}

/** Types, bounds and defaults of all options. */
export const optionsSchema = {
  properties: {
    key: { type: 'string', minLength: 16, secret: true, description: 'Secret by which identities are keyed, the same in all processes. With Redis it must be given; embedded, a random one is the default.' },
    previousKeys: { type: 'array', items: { type: 'string', minLength: 16, secret: true }, maxItems: 7, default: [], secret: true, description: 'Other keys under which ids may rest in Redis: earlier ones, or the one that comes next. What they made is shown, merged, exported and erased; nothing is written under them.' },
    who: { instance: 'function', description: 'Who makes a request: `request => string | number | undefined`, or a promise of it. By default the user of the session, else the client\'s address.' },
    flushEveryMs: { duration: true, minimumMs: 1, maximumMs: 60_000, default: 50, description: 'Longest time an event waits in the buffer.' },
    maxBuffered: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 10_000, description: 'Entries the buffer holds at most, one for each metric, minute and id; events beyond are dropped and counted.' },
    maxMetrics: { type: 'integer', minimum: 1, maximum: 100_000, default: 1_000, description: 'Metrics a process counts at most; events of others are dropped and counted.' },
    ids: { enum: ['encrypted', 'plain'], default: 'encrypted', description: 'How ids rest in the top lists.' },
    topCapacity: { type: 'integer', minimum: 16, maximum: 100_000, default: 2_048, description: 'Members of the all-time top list: a count is over by at most calls divided by it.' },
    bucketTopCapacity: { type: 'integer', minimum: 16, maximum: 10_000, default: 128, description: 'Members of the top list of each minute, hour and day.' },
    zones: { type: 'array', items: { type: 'string' }, maxItems: 8, uniqueItems: true, default: ['UTC'], description: 'Time zones whose calendar days are counted; UTC always is.' },
    keepMinutesMs: { duration: true, minimumMs: sizeMs.hour, maximumMs: sizeMs.day, default: 120 * sizeMs.minute, description: 'How long minutes are kept.' },
    keepHoursMs: { duration: true, minimumMs: sizeMs.day, maximumMs: 31 * sizeMs.day, default: 72 * sizeMs.hour, description: 'How long hours are kept.' },
    keepDaysMs: { duration: true, minimumMs: 31 * sizeMs.day, maximumMs: 1_100 * sizeMs.day, default: 400 * sizeMs.day, description: 'How long days are kept, and all-time totals after their last event.' }
  }
}

const define = defineOptions<TrackingOptions, ResolvedTrackingOptions>('hll-tracking', optionsSchema)

/**
 * Checks the options and fills in the defaults.
 * @throws FST_RSP_OPTION_INVALID
 */
export function resolveOptions (given: TrackingOptions | undefined): Readonly<ResolvedTrackingOptions> {
  const options = define(given)
  const keys = [options.key, ...options.previousKeys]
  const twice = keys.findIndex((key, i) => keys.indexOf(key) !== i)
  if (twice > 0) throw new FST_RSP_OPTION_INVALID('hll-tracking', `previousKeys[${twice - 1}]`, 'must differ from option \'key\' and the others', `a string of ${keys[twice]!.length} characters`)
  options.zones.forEach((zone, i) => {
    if (!isZone(zone)) throw new FST_RSP_OPTION_INVALID('hll-tracking', `zones[${i}]`, 'must be a time zone such as \'Europe/Paris\'', inspect(zone, { maxStringLength: 40 }))
  })
  return options
}

function isZone (zone: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone !== ''
  } catch {
    // A RangeError: no such zone.
    return false
  }
}
