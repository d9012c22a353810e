import { readFields } from '../stores/merge.ts'
import type { RowData } from '../stores/flush.ts'
import type { DeadSession, LiveSession, LivingRow, PeerRow, PendingRow, PurgedRow, SessionInfo } from '../stores/store.ts'

type Row = Record<string, unknown>

// Drivers give BIGINT as a string, a bigint or a number.
const text = (value: unknown) => value as string
const optional = (value: unknown) => value === null ? undefined : value as string

/** What `find` says. */
export function foundOf (row: Row | undefined): LiveSession | DeadSession {
  if (row === undefined) return { reuse: undefined }
  if (Number(row.alive) !== 1) return { reuse: Number(row.reuse) === 1 ? { sid: text(row.asked_sid), owner: text(row.owner) } : undefined }
  return {
    hash: text(row.hash),
    sid: text(row.sid),
    userId: optional(row.user_id),
    version: Number(row.ver),
    fields: readFields(text(row.data)),
    flushedSeq: Number(row.flushed_seq ?? 0),
    leftMs: Number(row.left_ms),
    capped: Number(row.capped) === 1,
    rememberMs: row.remember_ms === null ? undefined : Number(row.remember_ms),
    endLeftMs: Number(row.end_left_ms),
    authAgeMs: Number(row.auth_age_ms),
    issuedAgeMs: Number(row.issued_age_ms),
    superseded: row.next_hash !== null
  }
}

/** A row of `living`. */
export function livingOf (row: Row): LivingRow {
  const rememberMs = row.remember_ms === null ? undefined : Number(row.remember_ms)
  return { hash: text(row.hash), tag: text(row.tag), leftMs: Number(row.left_ms), capped: Number(row.capped) === 1, rememberMs }
}

/** The data of a row. */
export function dataOf (row: Row): RowData {
  const through = row.through_vers === null ? {} : JSON.parse(text(row.through_vers)) as Record<string, number>
  return { fields: readFields(text(row.data)), flushedSeq: Number(row.flushed_seq ?? 0), through: new Map(Object.entries(through)) }
}

/** `through_vers` of such a row. Names come from users, so that the object is written by its entries. */
export function writeThrough ({ through }: RowData): string | null {
  return through.size === 0 ? null : `{${[...through].map(([name, version]) => `${JSON.stringify(name)}:${version}`).join(',')}}`
}

/** A row of `pending`. */
export function pendingOf (row: Row): PendingRow {
  return { hash: text(row.hash), tag: text(row.tag), dead: Number(row.dead) === 1, pend: Number(row.pend) }
}

/** A row of `ended` or `idled`. */
export function purgedOf (row: Row): PurgedRow {
  return { sid: text(row.sid), userId: optional(row.user_id ?? null), expired: row.next_hash === null && Number(row.dead) === 0 }
}

/** A row of `peers`. */
export function peerOf (row: Row): PeerRow {
  return { sid: text(row.sid), owner: text(row.owner), tag: text(row.tag), fields: readFields(text(row.data)), leftMs: Number(row.left_ms) }
}

/** A row of `list`; times of day as the database's clock has them. */
export function infoOf (row: Row): SessionInfo {
  const date = (value: unknown) => new Date(Number(value))
  return {
    id: text(row.sid),
    userId: text(row.user_id),
    createdAt: date(row.created_ms),
    authenticatedAt: date(row.auth_ms),
    remembered: row.remember_ms !== null,
    idleUntil: date(row.idle_ms),
    expiresAt: date(row.end_ms)
  }
}
