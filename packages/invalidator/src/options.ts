import { type Duration, defineOptions } from '@respite/redis'

/** The schema of the plugin's options: every type, bound and default. */
export const optionsSchema = {
  properties: {
    topic: { type: 'string', minLength: 1, maxLength: 200, default: 'invalidate', description: 'Topic of the bus on which changes with strategy `on-event` are told.' },
    concurrency: { type: 'integer', minimum: 1, maximum: 1_000, default: 8, description: 'How many entries a warm-up loads at once.' },
    budget: { duration: true, minimumMs: 1, default: '5s', description: 'How long a warm-up may take; what has not begun by then is skipped.' },
    hold: { duration: true, minimumMs: 50, maximumMs: 3_600_000, default: '5s', description: 'How long `mutate` keeps others from filling the keys it changes; longer than the slowest write. A process that dies while writing costs the others this much for these keys.' },
    versionTtl: { duration: true, minimumMs: 1_000, maximumMs: 315_360_000_000, default: '1d', description: 'How long a version of an entity is given when it does not change; a new one then finds none of the entries under the old.' }
  }
} as const

/** What a user may give. */
export interface InvalidatorOptions {
  /** Topic of the bus for `on-event`. @default 'invalidate' */
  topic?: string
  /** How many entries a warm-up loads at once. @default 8 */
  concurrency?: number
  /** How long a warm-up may take. @default '5s' */
  budget?: Duration
  /** How long `mutate` keeps others from filling the keys it changes. @default '5s' */
  hold?: Duration
  /** How long a version of an entity is given when it does not change. @default '1d' */
  versionTtl?: Duration
}

/** Complete options, durations in milliseconds. */
export interface ResolvedOptions {
  topic: string
  concurrency: number
  budget: number
  hold: number
  versionTtl: number
}

/** @throws FST_RSP_OPTION_INVALID */
export const resolveOptions = defineOptions<InvalidatorOptions, ResolvedOptions>('invalidator', optionsSchema)
