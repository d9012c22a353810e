import { type Duration, defineOptions } from '@respite/redis'
import { maxTtlMs } from './ttl.ts'

/** The schema of the plugin's options: every type, bound and default. */
export const optionsSchema = {
  properties: {
    prefix: { type: 'string', minLength: 1, maxLength: 100, default: 'cache', description: 'Name of the root namespace; `namespace(name)` lies under `<prefix>:<name>`. Apps that share a Redis and must not share entries differ in it.' },
    ttl: { duration: true, minimumMs: 1, maximumMs: maxTtlMs, default: '5m', description: 'How long an entry is fresh when a call does not say.' },
    maxItems: { type: 'integer', minimum: 1, maximum: 10_000_000, default: 10_000, description: 'Most entries a namespace keeps in this process: as local copies and, without Redis, as the store.' },
    maxBytes: { type: 'integer', minimum: 1_024, default: 67_108_864, description: 'Most bytes of them, measured by their serialised form.' },
    localMaxAge: { duration: true, minimumMs: 1, default: '1m', description: 'How long a local copy is used at most: bounds what a loss nobody noticed could do.' },
    lease: { duration: true, minimumMs: 50, maximumMs: 3_600_000, default: '10s', description: 'How long one process may fill an entry alone; longer than the slowest factory. A process that dies while filling costs the others this much for that key.' },
    values: { enum: ['frozen', 'cloned'], default: 'frozen', description: '`frozen`: plain JSON is frozen and shared by all callers, the rest is copied. `cloned`: everything is copied.' },
    maxQueued: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 10_000, description: 'Most invalidations that wait for Redis to return; beyond, they become the clear of their namespace.' },
    maxResponseBytes: { type: 'integer', minimum: 0, default: 1_048_576, description: 'Largest body that `config.cache` stores.' }
  }
} as const

/** What a user may give. */
export interface CachePluginOptions {
  /** Name of the root namespace. @default 'cache' */
  prefix?: string
  /** How long an entry is fresh when a call does not say. @default '5m' */
  ttl?: Duration
  /** Most entries a namespace keeps in this process. @default 10000 */
  maxItems?: number
  /** Most bytes of them. @default 67108864 */
  maxBytes?: number
  /** How long a local copy is used at most. @default '1m' */
  localMaxAge?: Duration
  /** How long one process may fill an entry alone. @default '10s' */
  lease?: Duration
  /** Whether callers share frozen values or get copies. @default 'frozen' */
  values?: 'frozen' | 'cloned'
  /** Most invalidations that wait for Redis. @default 10000 */
  maxQueued?: number
  /** Largest response body that is stored, in bytes. @default 1048576 */
  maxResponseBytes?: number
}

/** Complete options, durations in milliseconds. */
export interface ResolvedOptions {
  prefix: string
  ttl: number
  maxItems: number
  maxBytes: number
  localMaxAge: number
  lease: number
  values: 'frozen' | 'cloned'
  maxQueued: number
  maxResponseBytes: number
}

/** @throws FST_RSP_OPTION_INVALID */
export const resolveOptions = defineOptions<CachePluginOptions, ResolvedOptions>('cache', optionsSchema)
