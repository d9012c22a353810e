import type { Lease, ReadReply } from './copy-reads.ts'
import type { LiveSession } from './stores/store.ts'

type Hit = Extract<ReadReply, ['HIT', ...unknown[]]>

/** A session as a request has found it. */
export interface FoundSession {
  /** The row that holds its data. */
  readonly hash: string
  readonly sid: string
  readonly userId: string | undefined
  readonly version: number
  /** To the nearer end, ms. */
  readonly leftMs: number
  /** No touch prolongs it: the absolute end is the nearer one, or another id has superseded this one. */
  readonly untouchable: boolean
  /** Of a remembered session the idle time that it was promised, ms. */
  readonly rememberMs: number | undefined
  /** Since the log-in, ms; only the durable store tells. */
  readonly authAgeMs: number | undefined
  /** Its hash is old enough for another: the gate as this request has read it; `alone`: there is no Redis. */
  readonly rotation: Lease | 'alone' | undefined
  /** Its copy has changes that its row does not. */
  readonly unsaved?: true
  /** Flat: `f:<name>`, JSON, … among others. */
  readonly flat: readonly string[]
}

/** Fields as a copy holds them: `f:<name>`, JSON, … */
export function flatFields (fields: Iterable<readonly [name: string, json: string]>): string[] {
  const flat: string[] = []
  for (const [name, json] of fields) flat.push(`f:${name}`, json)
  return flat
}

/** A field of what was found, as JSON. */
export function fieldOf ({ flat }: FoundSession, name: string): string | undefined {
  const field = `f:${name}`
  for (let i = 0; i < flat.length; i += 2) if (flat[i] === field) return flat[i + 1]
  return undefined
}

/** What of a row a copy tells. */
export type CopiedRow = Pick<LiveSession, 'sid' | 'userId' | 'capped' | 'rememberMs' | 'fields'> & Partial<Pick<LiveSession, 'flushedSeq'>>

/** What a copy in Redis holds of a row. */
export function copyFields ({ sid, userId, capped, rememberMs, flushedSeq = 0, fields }: CopiedRow): string[] {
  const marks = ['i', sid, 'o', userId ?? '', ...(capped ? ['c', '1'] : []), ...(rememberMs !== undefined ? ['m', String(rememberMs)] : [])]
  // The changes of this copy come after those that the row has.
  if (flushedSeq > 0) marks.push('q', String(flushedSeq))
  return [...marks, ...flatFields(fields)]
}

/** A session from its copy. */
export function foundInRedis (hash: string, [, n, g, leftMs, flat]: Hit): FoundSession {
  let sid = ''
  let userId: string | undefined
  let version = 0
  let untouchable = false
  let rememberMs: number | undefined
  let unsaved = false
  let rotation: Lease | undefined
  for (let i = 0; i < flat.length; i += 2) {
    switch (flat[i]) {
      case 'i': sid = flat[i + 1]!; break
      case 'o': userId = flat[i + 1] === '' ? undefined : flat[i + 1]; break
      case 'v': version = Number(flat[i + 1]); break
      case 'm': rememberMs = Number(flat[i + 1]); break
      case 'c': untouchable = true; break
      case 'w': unsaved = true; break
      case 'r': rotation = { n, g }; break
    }
  }
  return { hash, sid, userId, version, leftMs, untouchable, rememberMs, authAgeMs: undefined, rotation, ...(unsaved && { unsaved }), flat }
}

/**
 * A session from its row.
 * @param rotateMs - age from which on its hash is replaced, where there is no Redis; else a touch marks its copy
 */
export function foundInStore (row: LiveSession, rotateMs = Infinity): FoundSession {
  const { hash, sid, userId, version, leftMs, rememberMs, authAgeMs } = row
  const rotation = !row.superseded && row.issuedAgeMs >= rotateMs ? 'alone' : undefined
  return { hash, sid, userId, version, leftMs, untouchable: row.capped || row.superseded, rememberMs, authAgeMs, rotation, flat: flatFields(row.fields) }
}
