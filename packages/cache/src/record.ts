import { isReadable, jsonForm } from './codecs/body.ts'
import type { Snapshot } from './snapshot.ts'

/** The layout's number, the first byte of a record. */
const recordVersion = 1

const idAt = 1
const idBytes = 12
const softDigits = '0'.repeat(13)
/** Form (1 byte: codec and compression), cost (4), time to live (6), length of the etag (1): between the tags and the etag. */
const restBytes = 12
/** Where what the scripts do not read begins. */
const tagsAt = idAt + idBytes + softDigits.length

/** An entry as it lies in the store, without its soft expiry, which only the store's clock knows. */
export interface CacheRecord {
  /** The token of the fill: 16 characters of base64url. */
  readonly id: string
  readonly snapshot: Snapshot
  /** Codec and compression of the body. */
  readonly form: number
  /** What the fill took. */
  readonly costMs: number
  /** How long it was fresh when it was stored. */
  readonly ttlMs: number
  readonly etag: string
  readonly body: Buffer
}

/** Writes a record; the script puts the soft expiry in. */
export function encodeRecord (record: Omit<CacheRecord, 'form' | 'etag' | 'body'> & { form?: number, etag?: string, body: string | Buffer }): Buffer {
  const head = Buffer.concat([Buffer.of(recordVersion), Buffer.from(record.id, 'base64url'), Buffer.from(softDigits, 'latin1')])
  const tags = [['', record.snapshot.ns] as const, ...record.snapshot.tags].flatMap(([name, nonce]) => {
    const text = Buffer.from(name)
    return [uint16(text.length), text, Buffer.from(nonce, 'base64url')]
  })
  const etag = Buffer.from(record.etag ?? '', 'latin1').subarray(0, 255)
  const rest = Buffer.alloc(restBytes)
  rest[0] = record.form ?? jsonForm
  rest.writeUInt32BE(Math.min(Math.round(record.costMs), 0xFFFFFFFF), 1)
  rest.writeUIntBE(Math.round(record.ttlMs), 5, 6)
  rest[restBytes - 1] = etag.length
  const body = typeof record.body === 'string' ? Buffer.from(record.body) : record.body
  return Buffer.concat([head, uint16(record.snapshot.tags.size + 1), ...tags, rest, etag, body])
}

function uint16 (value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16BE(value)
  return bytes
}

/** The id of whatever lies there: what `discard` compares, also of a record that is broken. */
export function recordId (bytes: Buffer): string {
  return bytes.subarray(idAt, idAt + idBytes).toString('base64url')
}

/**
 * Reads a record.
 * @returns `foreign` when a later release wrote it, or a Node that has other compressions, `corrupt` when nobody of us did
 */
export function decodeRecord (bytes: Buffer): CacheRecord | 'foreign' | 'corrupt' {
  if (bytes.length > 0 && bytes[0] !== recordVersion) return 'foreign'
  try {
    return readRecord(bytes)
  } catch {
    // Cut short: a read beyond the end throws.
    return 'corrupt'
  }
}

/** One for all: a local copy keeps it. */
const noTags: ReadonlyMap<string, string> = new Map()

function readRecord (bytes: Buffer): CacheRecord | 'foreign' | 'corrupt' {
  const count = bytes.readUInt16BE(tagsAt)
  const tags = count <= 1 ? noTags : new Map<string, string>()
  let at = tagsAt + 2
  let ns = ''
  for (let i = 0; i < count; i++) {
    const nameEnd = at + 2 + bytes.readUInt16BE(at)
    const nonce = bytes.subarray(nameEnd, nameEnd + idBytes).toString('base64url')
    if (i === 0) ns = nonce
    else (tags as Map<string, string>).set(bytes.toString('utf8', at + 2, nameEnd), nonce)
    at = nameEnd + idBytes
  }
  const form = bytes.readUInt8(at)
  if (!isReadable(form)) return 'foreign'
  const etagAt = at + restBytes
  const bodyAt = etagAt + bytes.readUInt8(etagAt - 1)
  if (count === 0 || bodyAt > bytes.length) return 'corrupt'
  return {
    id: recordId(bytes),
    snapshot: { ns, tags },
    form,
    costMs: bytes.readUInt32BE(at + 1),
    ttlMs: bytes.readUIntBE(at + 5, 6),
    etag: bytes.toString('latin1', etagAt, bodyAt),
    body: bytes.subarray(bodyAt)
  }
}
