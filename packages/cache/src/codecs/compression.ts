import * as zlib from 'node:zlib'
import { promisify } from 'node:util'

/** How values are compressed. */
export type Algorithm = 'gzip' | 'brotli' | 'zstd'

type Options = zlib.ZlibOptions & zlib.BrotliOptions
type Work = (bytes: Uint8Array, options: Options) => Buffer
type LaterWork = (bytes: Uint8Array, options: Options) => Promise<Buffer>
interface Way { readonly now: Work, readonly later: LaterWork, readonly options: Options }
interface Engine { readonly compress: Way, readonly expand: Way }

/** What Node has of zlib from 22.15 and 23.8 on, and its types not yet. */
type Zstd = Record<'zstdCompressSync' | 'zstdDecompressSync', Work> & Record<'zstdCompress' | 'zstdDecompress', typeof zlib.gzip>

const engines: Readonly<Record<Algorithm, Engine | undefined>> = {
  gzip: {
    compress: { now: zlib.gzipSync, later: promisify(zlib.gzip) as LaterWork, options: {} },
    expand: { now: zlib.gunzipSync, later: promisify(zlib.gunzip) as LaterWork, options: {} }
  },
  brotli: {
    // Its own default, 11, takes a hundred times as long for a tenth less.
    compress: { now: zlib.brotliCompressSync, later: promisify(zlib.brotliCompress) as LaterWork, options: { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } } },
    expand: { now: zlib.brotliDecompressSync, later: promisify(zlib.brotliDecompress) as LaterWork, options: {} }
  },
  zstd: 'zstdCompress' in zlib ? zstdOf(zlib as unknown as Zstd) : undefined
}

function zstdOf (node: Zstd): Engine {
  return {
    compress: { now: node.zstdCompressSync, later: promisify(node.zstdCompress) as LaterWork, options: {} },
    expand: { now: node.zstdDecompressSync, later: promisify(node.zstdDecompress) as LaterWork, options: {} }
  }
}

/** Up to so many bytes are compressed and expanded at once, in less time than it takes to pass them to another thread and back; more, in one. */
export const syncBytes = 16_384

/** More is stored as it is, and a record that says it holds more is none of ours. */
export const maxExpandedBytes = 67_108_864

/** The length as it was stands before what was made of it. */
const headBytes = 4

/** Whether this Node has it. */
export function hasAlgorithm (algorithm: Algorithm): boolean {
  return engines[algorithm] !== undefined
}

/**
 * What is stored instead of these bytes.
 * @returns undefined when it would not be shorter
 */
export function compress (bytes: Buffer, algorithm: Algorithm): Buffer | undefined | Promise<Buffer | undefined> {
  const { now, later, options } = engines[algorithm]!.compress
  const shorter = (made: Buffer) => headBytes + made.length < bytes.length ? Buffer.concat([headOf(bytes.length), made]) : undefined
  return bytes.length <= syncBytes ? shorter(now(bytes, options)) : later(bytes, options).then(shorter)
}

function headOf (length: number): Buffer {
  const head = Buffer.alloc(headBytes)
  head.writeUInt32BE(length)
  return head
}

/**
 * The bytes that `compress` was given. No more memory is taken than the record says and the bound allows, whatever a stranger has put there.
 * @throws, or rejects with, RangeError or an error of zlib, for what `compress` has not made
 */
export function expand (stored: Buffer, algorithm: Algorithm, maxBytes: number = maxExpandedBytes): Buffer | Promise<Buffer> {
  const { now, later, options } = engines[algorithm]!.expand
  const length = stored.readUInt32BE(0)
  if (length > maxBytes) throw new RangeError(`it says that it holds ${length} bytes, and at most ${maxBytes} are written so`)
  // What is not shorter was never written; it would only take time.
  if (stored.length >= length) throw new RangeError('it is not shorter than what it says that it holds')
  const whole = (made: Buffer) => {
    if (made.length !== length) throw new RangeError('it holds less than it says')
    return made
  }
  const bounded = { ...options, maxOutputLength: length, chunkSize: Math.min(Math.max(length, 1_024), 131_072) }
  const made = stored.subarray(headBytes)
  return length <= syncBytes ? whole(now(made, bounded)) : later(made, bounded).then(whole)
}
