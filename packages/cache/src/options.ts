import { type Duration, FST_RSP_OPTION_INVALID, defineOptions } from '@respite/redis'
import type { Codec } from './codecs/body.ts'
import { type Algorithm, hasAlgorithm, maxExpandedBytes } from './codecs/compression.ts'
import { maxTtlMs } from './ttl.ts'

/** How values are compressed. */
export interface CompressionOptions {
  /** `auto`: zstd where this Node has it, else brotli. `none`: not at all. @default 'brotli' */
  algorithm?: Algorithm | 'auto' | 'none'
  /** From how many bytes on, in serialised form: 0 to 67,108,864. @default 1024 */
  thresholdBytes?: number
}

/** What a namespace can settle for itself: types and bounds, without defaults. */
export const sharedProperties = {
  ttl: { duration: true, minimumMs: 1, maximumMs: maxTtlMs, description: 'How long an entry is fresh when a call does not say.' },
  maxItems: { type: 'integer', minimum: 1, maximum: 10_000_000, description: 'Most entries a namespace keeps in this process: as local copies and, without Redis, as the store.' },
  maxBytes: { type: 'integer', minimum: 1_024, description: 'Most bytes of them, measured by their serialised form.' },
  codec: { enum: ['json', 'msgpack'], description: 'How values are serialised. Entries of either are read, whatever is set: it may be changed while others run.' },
  hashKeys: { type: 'boolean', description: 'Keys and tags are known to Redis, errors, logs and events by an HMAC alone. Patterns are refused.' }
} as const

/** The options of compression: types and bounds, without defaults. */
export const compressionProperties = {
  algorithm: { enum: ['gzip', 'brotli', 'zstd', 'auto', 'none'], description: '`zstd` needs Node 22.15 or newer, in all processes that read: another Node takes its entries for foreign. `auto`: zstd where this Node has it, else brotli. `none`: not at all.' },
  thresholdBytes: { type: 'integer', minimum: 0, maximum: maxExpandedBytes, description: 'From how many bytes on, in serialised form. What does not become shorter is stored as it is.' }
} as const

const { ttl, maxItems, maxBytes, codec, hashKeys } = sharedProperties
const { algorithm, thresholdBytes } = compressionProperties

/** The schema of the plugin's options: every type, bound and default. */
export const optionsSchema = {
  properties: {
    prefix: { type: 'string', minLength: 1, maxLength: 100, default: 'cache', description: 'Name of the root namespace; `namespace(name)` lies under `<prefix>:<name>`. Apps that share a Redis and must not share entries differ in it.' },
    ttl: { ...ttl, default: '5m' },
    maxItems: { ...maxItems, default: 10_000 },
    maxBytes: { ...maxBytes, default: 67_108_864 },
    localMaxAge: { duration: true, minimumMs: 1, default: '1m', description: 'How long a local copy is used at most: bounds what a loss nobody noticed could do.' },
    lease: { duration: true, minimumMs: 50, maximumMs: 3_600_000, default: '10s', description: 'How long one process may fill an entry alone; longer than the slowest factory. A process that dies while filling costs the others this much for that key.' },
    values: { enum: ['frozen', 'cloned'], default: 'frozen', description: '`frozen`: plain JSON is frozen and shared by all callers, the rest is copied. `cloned`: everything is copied.' },
    codec: { ...codec, default: 'json' },
    compression: {
      type: 'object',
      additionalProperties: false,
      description: 'Compresses large values. Without it, none are.',
      properties: { algorithm: { ...algorithm, default: 'brotli' }, thresholdBytes: { ...thresholdBytes, default: 1_024 } }
    },
    hashKeys: { ...hashKeys, default: false },
    keySecret: { type: 'string', minLength: 32, secret: true, description: 'Secret of `hashKeys`, 32 characters or more, the same in all processes. With another one all entries are others.' },
    maxQueued: { type: 'integer', minimum: 1, maximum: 1_000_000, default: 10_000, description: 'Most invalidations that wait for Redis to return; beyond, they become the clear of their namespace.' },
    maxResponseBytes: { type: 'integer', minimum: 0, default: 1_048_576, description: 'Largest body that `config.cache` stores.' }
  }
} as const

/** What a user may give. */
export interface CachePluginOptions {
  /** Name of the root namespace. @default 'cache' */
  prefix?: string
  /** How long an entry is fresh when a call does not say: 1 ms to ten years. @default '5m' */
  ttl?: Duration
  /** Most entries a namespace keeps in this process, 1 to 10,000,000: as local copies and, without Redis, as the store. @default 10000 */
  maxItems?: number
  /** Most bytes of them, in serialised form; 1,024 or more. @default 67108864 */
  maxBytes?: number
  /** How long a local copy is used at most. @default '1m' */
  localMaxAge?: Duration
  /** How long one process may fill an entry alone, 50 ms to an hour; longer than the slowest factory. @default '10s' */
  lease?: Duration
  /** Whether callers share frozen values or get copies. @default 'frozen' */
  values?: 'frozen' | 'cloned'
  /** How values are serialised. @default 'json' */
  codec?: Codec
  /** Compresses large values. @default not at all */
  compression?: CompressionOptions
  /** Whether keys and tags leave this process as an HMAC alone; needs `keySecret`. @default false */
  hashKeys?: boolean
  /** Secret of `hashKeys`, 32 characters or more, the same in all processes. */
  keySecret?: string
  /** Most invalidations that wait for Redis; beyond, they become the clear of their namespace. @default 10000 */
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
  codec: Codec
  compression?: Required<CompressionOptions>
  hashKeys: boolean
  keySecret?: string
  maxQueued: number
  maxResponseBytes: number
}

const checked = defineOptions<CachePluginOptions, ResolvedOptions>('cache', optionsSchema)

/** @throws FST_RSP_OPTION_INVALID */
export function resolveOptions (given: CachePluginOptions | undefined): Readonly<ResolvedOptions> {
  const options = checked(given)
  if (options.hashKeys) secretOf(options, 'cache')
  return options
}

/**
 * The secret that hashed keys need.
 * @param area - whose option asks for it, for the error
 * @throws FST_RSP_OPTION_INVALID
 */
export function secretOf ({ keySecret }: Pick<ResolvedOptions, 'keySecret'>, area: string): string {
  if (keySecret === undefined) throw new FST_RSP_OPTION_INVALID(area, 'keySecret', 'of the plugin is missing, and hashKeys needs it', 'nothing')
  return keySecret
}

/**
 * The algorithm of this Node; undefined: none.
 * @param area - whose option it is, for the error
 * @throws FST_RSP_OPTION_INVALID when this Node does not have it
 */
export function algorithmOf (given: Algorithm | 'auto' | 'none', area: string): Algorithm | undefined {
  if (given === 'none') return undefined
  if (given === 'auto') return hasAlgorithm('zstd') ? 'zstd' : 'brotli'
  if (!hasAlgorithm(given)) throw new FST_RSP_OPTION_INVALID(area, 'compression.algorithm', 'must be one that this Node has', `'${given}' on Node ${process.version}`)
  return given
}
