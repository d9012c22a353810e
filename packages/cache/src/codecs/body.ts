import { type Algorithm, compress, expand, hasAlgorithm, maxExpandedBytes } from './compression.ts'
import { decodeJson, encodeJson } from './json.ts'
import { decodeMsgpack, encodeMsgpack } from './msgpack.ts'
import type { Decoded } from './reviving.ts'

/** How values are serialised. */
export type Codec = 'json' | 'msgpack'

/** From which size on values are compressed, and how. */
export interface Compression {
  readonly thresholdBytes: number
  readonly algorithm: Algorithm
}

/** How values are written. */
export interface Writing {
  readonly codec: Codec
  readonly compression: Compression | undefined
}

/** A value in its serialised form. */
export interface Body {
  readonly codec: Codec
  readonly content: string | Buffer
}

/** A value as a record holds it. */
export interface Stored {
  /** A number for codec and compression: what is read back is told by it, and not by any option. */
  readonly form: number
  readonly body: Buffer
}

/** The lower four bits of a form. Numbers are never used again: other releases read by them. */
const codecs: readonly (Codec | undefined)[] = [undefined, 'json', 'msgpack']
/** The upper four. */
const algorithms: readonly (Algorithm | undefined)[] = [undefined, 'gzip', 'brotli', 'zstd']

/** Plain JSON. */
export const jsonForm = 1

/** Whether this release, on this Node, reads what was written so. */
export function isReadable (form: number): boolean {
  const algorithm = algorithms[form >> 4]
  return codecs[form & 15] !== undefined && (form >> 4 === 0 || (algorithm !== undefined && hasAlgorithm(algorithm)))
}

/** @throws TypeError with the reason, for what has no serialised form */
export function encodeValue (value: unknown, codec: Codec): Body {
  return { codec, content: codec === 'json' ? encodeJson(value) : encodeMsgpack(value) }
}

/** @throws for what `encodeValue` has not made */
export function decodeValue ({ codec, content }: Body): Decoded {
  return codec === 'json' ? decodeJson(content.toString()) : decodeMsgpack(content as Buffer)
}

/** What is stored of a value: compressed where that is wanted, and shorter. */
export function storedOf ({ codec, content }: Body, compression: Compression | undefined, maxBytes: number = maxExpandedBytes): Stored | Promise<Stored> {
  const form = codecs.indexOf(codec)
  const body = typeof content === 'string' ? Buffer.from(content) : content
  if (compression === undefined || body.length < compression.thresholdBytes || body.length > maxBytes) return { form, body }
  const { algorithm } = compression
  const asIs = { form, body }
  const inForm = (compressed: Buffer | undefined) => compressed === undefined ? asIs : { form: form | algorithms.indexOf(algorithm) << 4, body: compressed }
  const compressed = compress(body, algorithm)
  return compressed instanceof Promise ? compressed.then(inForm) : inForm(compressed)
}

/**
 * A value's serialised form, from what is stored of it.
 * @throws, or rejects with, an error for what `storedOf` has not made
 */
export function bodyOf ({ form, body }: Stored): Body | Promise<Body> {
  const codec = codecs[form & 15]!
  const algorithm = algorithms[form >> 4]
  if (algorithm === undefined) return { codec, content: body }
  const expanded = expand(body, algorithm)
  return expanded instanceof Promise ? expanded.then(content => ({ codec, content })) : { codec, content: expanded }
}
