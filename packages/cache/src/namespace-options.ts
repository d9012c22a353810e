import { type Duration, defineOptions } from '@respite/redis'
import type { Codec, Compression } from './codecs/body.ts'
import type { NamespaceSettings } from './namespace.ts'
import { type CompressionOptions, type ResolvedOptions, algorithmOf, compressionProperties, optionsSchema, secretOf, sharedProperties } from './options.ts'

/** What a namespace settles for itself; the rest is as the one it lies under. */
export interface NamespaceOptions {
  /** How long its entries are fresh. */
  ttl?: Duration
  /** Most entries kept in this process. */
  maxItems?: number
  /** Most bytes of them, in serialised form. */
  maxBytes?: number
  /** How its values are serialised. */
  codec?: Codec
  /** How they are compressed; `{ algorithm: 'none' }`: not at all. */
  compression?: CompressionOptions
  /** Whether its keys and tags leave this process as an HMAC alone; needs the plugin's `keySecret`. */
  hashKeys?: boolean
  /** Its `entity_type` in metrics. @default the name */
  label?: string
}

const area = 'cache (namespace)'

const checked = defineOptions<NamespaceOptions, Omit<NamespaceOptions, 'ttl'> & { ttl?: number }>(area, {
  properties: {
    ...sharedProperties,
    compression: { type: 'object', additionalProperties: false, properties: compressionProperties },
    label: { type: 'string', minLength: 1, maxLength: 100 }
  }
})

/** The settings of the root namespace. */
export function rootSettings (options: Readonly<ResolvedOptions>): NamespaceSettings {
  const { ttl: ttlMs, maxItems, maxBytes, codec, compression, hashKeys } = options
  return { ttlMs, maxItems, maxBytes, hashKeys, label: 'default', writing: { codec, compression: compressionOf(compression, undefined) } }
}

/** A namespace that is asked for, and the options of the plugin. */
export interface Asked {
  readonly name: string
  readonly given: NamespaceOptions | undefined
  readonly options: Readonly<ResolvedOptions>
}

/**
 * The settings of a namespace under another.
 * @throws FST_RSP_OPTION_INVALID
 */
export function settingsUnder (parent: NamespaceSettings, { name, given, options }: Asked): NamespaceSettings {
  const { ttl, maxItems, maxBytes, codec, compression, hashKeys, label } = checked(given)
  if (hashKeys === true) secretOf(options, area)
  return {
    ttlMs: ttl ?? parent.ttlMs,
    maxItems: maxItems ?? parent.maxItems,
    maxBytes: maxBytes ?? parent.maxBytes,
    hashKeys: hashKeys ?? parent.hashKeys,
    label: label ?? name,
    writing: { codec: codec ?? parent.writing.codec, compression: compressionOf(compression, parent.writing.compression) }
  }
}

const { algorithm: { default: usualAlgorithm }, thresholdBytes: { default: usualThresholdBytes } } = optionsSchema.properties.compression.properties

function compressionOf (given: CompressionOptions | undefined, parent: Compression | undefined): Compression | undefined {
  if (given === undefined) return parent
  const algorithm = algorithmOf(given.algorithm ?? parent?.algorithm ?? usualAlgorithm, area)
  return algorithm === undefined ? undefined : { algorithm, thresholdBytes: given.thresholdBytes ?? parent?.thresholdBytes ?? usualThresholdBytes }
}
