import type { Clock } from '@respite/redis'
import type { ConflictMode } from '../options.ts'
import type { Owner } from '../owner.ts'
import type { FlushRequest, FlushResult } from './flush.ts'

/** A session's fields: name to value as JSON. */
export type Fields = ReadonlyMap<string, string>

/** A session that is alive, as the store says at the time of asking. */
export interface LiveSession {
  /** Of the row that holds the data: the successor's, if the one asked for is superseded. */
  readonly hash: string
  /** The public id; the same through rotations. */
  readonly sid: string
  readonly userId: string | undefined
  readonly version: number
  readonly fields: Fields
  /** Time to the nearer of the idle and the absolute end, ms. */
  readonly leftMs: number
  /** The absolute end is the nearer one: no touch prolongs it. */
  readonly capped: boolean
  /** Of a remembered session the idle time that it was promised, ms. */
  readonly rememberMs: number | undefined
  /** Time to the absolute end, ms. */
  readonly endLeftMs: number
  /** Since the log-in, ms. */
  readonly authAgeMs: number
  /** Since this hash was issued, by the log-in or by a rotation, ms. */
  readonly issuedAgeMs: number
  /** The highest sequence of a change that the row has from Redis. */
  readonly flushedSeq: number
  /** The hash asked for has a successor: its copy must not be kept. */
  readonly superseded: boolean
}

/** A hash the store does not hold alive. */
export interface DeadSession {
  /** A superseded hash was used past its grace: the family and whose it is. */
  readonly reuse: { readonly sid: string, readonly owner: string } | undefined
  /** The data set that says so, where another one might not; undefined: it will never be alive again. */
  readonly dataSet?: string | undefined
}

/** A session to be made, and how many its owner may have. */
export interface LoginRequest {
  readonly owner: Owner
  /** Taken if the owner has none yet. */
  readonly tag: string
  readonly hash: string
  readonly sid: string
  readonly fields: Fields
  /** From now to the idle end, ms. */
  readonly idleMs: number
  /** From now to the absolute end, ms. */
  readonly absoluteMs: number
  /** The most active sessions that the owner may have. */
  readonly max: number
  readonly onExceed: 'replace' | 'evict-oldest' | 'reject'
  /** A session of the same owner that ends with this login, and is not counted. */
  readonly replaces: string | undefined
  /** `idleMs` is the session's own from now on, whatever a touch says. @default false */
  readonly remembered?: boolean
  /** Sessions that have ended are counted while their rows are there. @default false */
  readonly countEnded?: boolean
}

/** What a login has made and ended. */
export interface LoginResult {
  /** The owner's tag: the one given, or the one it had. */
  readonly tag: string
  /** Every dead row of the owner, also those that another call has ended and Redis may not know of: their copies are killed. */
  readonly dead: readonly EndedRow[]
  /** Public ids of the sessions that this login ended. */
  readonly ended: readonly string[]
  readonly version: number
  /** Time to the nearer end, ms. */
  readonly leftMs: number
  /** The absolute end is the nearer one: no touch prolongs it. */
  readonly capped: boolean
}

/** A row that was marked dead: Redis is to be told, then it goes. */
export interface EndedRow { readonly hash: string, readonly sid: string }

/** Which sessions of an owner are to end; with neither id all of them. */
export interface RevokeRequest {
  readonly owner: string
  /** Only this session. */
  readonly sid?: string
  /** All but this session. */
  readonly except?: string
}

/** What a revoke has ended. */
export interface RevokeResult {
  /** Undefined when the owner is not known. */
  readonly tag: string | undefined
  /** Every dead row, also those dead before: their copies are killed once more. */
  readonly dead: readonly EndedRow[]
  /** Public ids of the sessions that this call ended. */
  readonly ended: readonly string[]
}

/** What a request has changed of a session. */
export interface SaveRequest {
  readonly hash: string
  /** The token's, which a store in Redis finds it by. */
  readonly tag?: string
  readonly set: Fields
  readonly deleted: readonly string[]
  readonly conflict: ConflictMode
  /** The version that was loaded; with `compare-and-set`. */
  readonly loaded: number
  /** The most that all fields may take as JSON, bytes. */
  readonly maxBytes: number
  /** Copies may have changes that the row has not: these must not undo it. @default false */
  readonly through?: boolean
}

/** A hash that is to be superseded. */
export interface RotateRequest {
  readonly owner: string
  readonly hash: string
  /** The hash that takes its place. */
  readonly next: string
  /** How long the old one still answers, ms; never longer than it would have. */
  readonly graceMs: number
}

/** The row under its new hash. */
export interface RotateResult {
  readonly row: LiveSession
  /** The old row, which waits for Redis. */
  readonly superseded: PendingRow
}

/** `hash` is the row that has the data now: the successor's, if the one given is superseded. */
export type SaveResult = { readonly outcome: 'saved', readonly hash: string, readonly version: number } | { readonly outcome: 'gone' | 'conflict' }

/** What is alive of a session: the row that has its data now. `rememberMs`: the idle time of a remembered one. */
export interface LivingRow { readonly hash: string, readonly tag: string, readonly leftMs: number, readonly capped: boolean, readonly rememberMs: number | undefined }

/** A row that Redis is not known to agree with. `pend`: the version at which it was marked, so that a confirmation of an earlier one leaves the mark. */
export interface PendingRow { readonly hash: string, readonly tag: string, readonly dead: boolean, readonly pend: number }

/** A row that was deleted. `expired`: with it its session has, and not just a secret of it, or a session that had been ended before. */
export interface PurgedRow { readonly sid: string, readonly userId: string | undefined, readonly expired: boolean }

/** A session that another library has made. */
export interface PeerRow { readonly sid: string, readonly owner: string, readonly tag: string, readonly fields: Fields, readonly leftMs: number }

/** A session as its user may see it. */
export interface SessionInfo {
  /** The public id: safe to show. */
  readonly id: string
  readonly userId: string
  readonly createdAt: Date
  readonly authenticatedAt: Date
  /** It was asked to be remembered, and lives by the option `remember`. */
  readonly remembered: boolean
  /** When it ends unless it is used. */
  readonly idleUntil: Date
  /** When it ends in any case. */
  readonly expiresAt: Date
}

/** How a store is opened. */
export interface OpenSettings {
  /** Whether missing tables are created; else a boot error names the migration. */
  readonly migrate: boolean
  readonly clock: Clock
}

/**
 * The authority over sessions. Every method is atomic, whatever other processes do: login, revoke and rotation under
 * the owner's lock, save and touch under the row's. A deadline is the caller's matter.
 */
export interface SessionStore {
  /** Such as `postgres`; for /health and logs. */
  readonly kind: string
  /** @throws FST_RSP_SESSION_SCHEMA */
  open (settings: OpenSettings): Promise<void>
  close (): Promise<void>
  /** The owner's tag; undefined when it never logged in. It never changes. */
  tagOf (owner: string): Promise<string | undefined>
  /** @param tag - the token's, which a store in Redis finds it by; others need none */
  find (hash: string, tag?: string): Promise<LiveSession | DeadSession>
  /** @throws FST_RSP_SESSION_LIMIT with `reject` */
  login (request: LoginRequest): Promise<LoginResult>
  revoke (request: RevokeRequest): Promise<RevokeResult>
  /** Whose a session is, by its public id. */
  ownerOfSession (sid: string): Promise<string | undefined>
  /**
   * Through a superseded hash it reaches the session as long as that lives, whatever became of the hash's grace.
   * @throws FST_RSP_SESSION_TOO_LARGE
   */
  save (request: SaveRequest): Promise<SaveResult>
  /** Takes over what Redis has of a session, or of the one that has superseded it; the same changes twice are one. */
  flush (request: FlushRequest): Promise<FlushResult>
  /** Gives a session a new hash, and its old one an end; undefined when that is superseded already, or not alive: nothing has changed then. */
  rotate (request: RotateRequest): Promise<RotateResult | undefined>
  /** Prolongs, a remembered one by its own idle time; undefined when the row is not alive or superseded. */
  touch (hash: string, idleMs: number, tag?: string): Promise<{ leftMs: number, capped: boolean, issuedAgeMs: number } | undefined>
  /** Rows that Redis is not known to agree with. */
  pending (limit: number): Promise<readonly PendingRow[]>
  /** Redis agrees: dead rows go, live ones are no longer pending. */
  confirm (dead: readonly string[], live: readonly PendingRow[]): Promise<void>
  /** Redis is not known to have this row's latest save. */
  markPending (hash: string): Promise<void>
  list (owner: string): Promise<readonly SessionInfo[]>
  /** Which of these sessions are alive now, by their public ids. */
  living (sids: readonly string[]): Promise<ReadonlyMap<string, LivingRow>>
  /** Sessions alive now; undefined where that is not known. */
  count (): Promise<number | undefined>
  /** Sessions alive now that another library has made. */
  countPeers (): Promise<number>
  /** Any of them, at most `limit`. */
  peers (limit: number): Promise<readonly PeerRow[]>
  /** Deletes what has expired, at most `limit` rows of a kind. */
  purge (limit: number): Promise<readonly PurgedRow[]>
}

/** Tells the two answers of `find` apart. */
export function isLive (found: LiveSession | DeadSession): found is LiveSession {
  return (found as LiveSession).sid !== undefined
}
