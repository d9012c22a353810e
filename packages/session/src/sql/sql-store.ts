import { type FlushRequest, type FlushResult, type RowData, withFlush, withThrough } from '../stores/flush.ts'
import { changedBy, merged, writeFields } from '../stores/merge.ts'
import { victimsOf } from '../stores/per-user.ts'
import {
  type DeadSession, isLive, type LiveSession, type LivingRow, type LoginRequest, type LoginResult, type OpenSettings, type PeerRow, type PendingRow, type PurgedRow,
  type RevokeRequest, type RevokeResult, type RotateRequest, type RotateResult, type SaveRequest, type SaveResult, type SessionInfo, type SessionStore
} from '../stores/store.ts'
import type { Query, SqlDatabase } from './database.ts'
import { idLists } from './id-lists.ts'
import { dataOf, foundOf, infoOf, livingOf, peerOf, pendingOf, purgedOf, writeThrough } from './rows.ts'
import { prepareSchema } from './schema.ts'
import { type Statements, statementsFor } from './statements.ts'

/**
 * Sessions in SQL tables. The first statement of each transaction is the UPDATE that takes the lock, every SELECT comes
 * after it; owner row before session rows; save and touch take one session row and no owner row: no deadlock.
 */
export class SqlStore implements SessionStore {
  readonly kind: string
  readonly #database: SqlDatabase
  readonly #sql: Statements

  constructor (database: SqlDatabase) {
    this.kind = database.kind
    this.#database = database
    this.#sql = statementsFor(database.dialect)
  }

  async open ({ migrate }: OpenSettings): Promise<void> {
    await this.#database.check?.()
    await prepareSchema(this.#database, migrate)
  }

  close (): Promise<void> {
    return this.#database.close()
  }

  async tagOf (owner: string): Promise<string | undefined> {
    return (await this.#rows(this.#sql.tagOf, owner))[0]?.tag as string | undefined
  }

  async find (hash: string): Promise<LiveSession | DeadSession> {
    return foundOf((await this.#rows(this.#sql.find, hash))[0])
  }

  login (request: LoginRequest): Promise<LoginResult> {
    const sql = this.#sql
    const { owner, hash, sid, idleMs, absoluteMs } = request
    const leftMs = Math.min(idleMs, absoluteMs)
    return this.#database.transaction(async query => {
      const { tag, epoch } = await this.#lock(query, request)
      const { countEnded = false } = request
      const found = await query(countEnded ? sql.rowsOfOwner : sql.aliveOrDead, [owner.owner])
      const rows = found.rows.map(row => ({ hash: row.hash as string, sid: row.sid as string, dead: Number(row.dead) === 1 }))
      const ended = victimsOf(rows.filter(row => countEnded || !row.dead).map(row => row.sid), request, request.replaces)
      for (const some of idLists(ended)) await query(sql.endMany(some.length), [owner.owner, ...some])
      await query(sql.add, [hash, sid, owner.owner, tag, owner.userId ?? null, epoch, leftMs, absoluteMs, request.remembered === true ? idleMs : null, writeFields(request.fields)])
      const dead = rows.filter(row => row.dead || ended.includes(row.sid)).map(({ hash, sid }) => ({ hash, sid }))
      return { tag, dead, ended, version: 1, leftMs, capped: absoluteMs <= idleMs }
    })
  }

  revoke ({ owner, ...ids }: RevokeRequest): Promise<RevokeResult> {
    const sql = this.#sql
    const [sid, except] = [ids.sid, ids.except].map(storable)
    return this.#database.transaction(async query => {
      if ((await query(sql.lock, [owner])).affected === 0) return { tag: undefined, dead: [], ended: [] }
      const { tag } = (await query(sql.locked, [owner])).rows[0] as { tag: string }
      const alive = (await query(sql.aliveSids, [owner])).rows.map(row => row.sid as string)
      if (sid !== undefined) await query(sql.endOne, [owner, sid])
      else if (except !== undefined) await query(sql.endOthers, [owner, except])
      else await query(sql.endAll, [owner])
      const meant = (id: string) => (sid === undefined || id === sid) && id !== except
      const dead = (await query(sql.dead, [owner])).rows.map(row => ({ hash: row.hash as string, sid: row.sid as string }))
      return { tag, dead: dead.filter(row => meant(row.sid)), ended: alive.filter(meant) }
    })
  }

  async ownerOfSession (sid: string): Promise<string | undefined> {
    return (await this.#rows(this.#sql.ownerOfSession, storable(sid)))[0]?.owner as string | undefined
  }

  save (request: SaveRequest): Promise<SaveResult> {
    const sql = this.#sql
    return this.#database.transaction(async query => {
      const target = await this.#bump(query, request.hash)
      if (target === undefined) return { outcome: 'gone' } as const
      const row = (await query(sql.data, [target])).rows[0]!
      const version = Number(row.ver)
      if (request.conflict === 'compare-and-set' && (version !== request.loaded + 1 || target !== request.hash)) throw new Conflict()
      const before = dataOf(row)
      const after = merged(before.fields, request)
      if (request.through !== true) await query(sql.write, [writeFields(after), target])
      else await this.#write(query, target, withThrough(before, after, { changed: changedBy(request, before.fields), version }))
      return { outcome: 'saved', hash: target, version } as const
    }).catch((error: unknown) => {
      // Rolled back, so that a refused save leaves the version as it was.
      if (error instanceof Conflict) return { outcome: 'conflict' } as const
      throw error
    })
  }

  flush (request: FlushRequest): Promise<FlushResult> {
    const sql = this.#sql
    return this.#database.transaction(async query => {
      const target = await this.#bump(query, request.hash)
      if (target === undefined) return { outcome: 'gone' }
      const row = (await query(sql.data, [target])).rows[0]!
      const { row: after, stale } = withFlush(dataOf(row), request)
      await this.#write(query, target, after)
      return { outcome: 'saved', hash: target, version: Number(row.ver), stale }
    })
  }

  rotate ({ owner, hash, next, graceMs }: RotateRequest): Promise<RotateResult | undefined> {
    const sql = this.#sql
    return this.#database.transaction(async query => {
      // The owner's lock: a revoke of the family either sees the successor, or there is none.
      if ((await query(sql.lock, [owner])).affected === 0) throw new Superseded()
      // The row's lock, before it is copied: a save between the two would be lost.
      if ((await query(sql.supersede, [hash])).affected === 0) throw new Superseded()
      await query(sql.succeed, [next, hash])
      await query(sql.endInGrace, [next, graceMs, graceMs, hash])
      const row = foundOf((await query(sql.find, [next])).rows[0])
      if (!isLive(row)) throw new Superseded()
      const { tag } = (await query(sql.locked, [owner])).rows[0] as { tag: string }
      return { row, superseded: { hash, tag, dead: false, pend: row.version } }
    }).catch((error: unknown) => {
      // Rolled back: nothing has changed.
      if (error instanceof Superseded) return undefined
      throw error
    })
  }

  async touch (hash: string, idleMs: number) {
    const { affected } = await this.#database.query(this.#sql.touch, [idleMs, idleMs, hash])
    const row = affected === 0 ? undefined : (await this.#rows(this.#sql.touched, hash))[0]
    if (row === undefined) return undefined
    return { leftMs: Number(row.left_ms), capped: Number(row.capped) === 1, issuedAgeMs: Number(row.issued_age_ms) }
  }

  async pending (limit: number): Promise<readonly PendingRow[]> {
    return (await this.#database.query(this.#sql.pending, [limit])).rows.map(pendingOf)
  }

  async confirm (dead: readonly string[], live: readonly PendingRow[]): Promise<void> {
    for (const some of idLists(dead)) await this.#database.query(this.#sql.forget(some.length), some)
    for (const { hash, pend } of live) await this.#database.query(this.#sql.agree, [hash, pend])
  }

  async markPending (hash: string): Promise<void> {
    await this.#database.query(this.#sql.markPending, [hash])
  }

  async list (owner: string): Promise<readonly SessionInfo[]> {
    return (await this.#rows(this.#sql.list, owner)).filter(row => row.user_id !== null).map(infoOf)
  }

  async living (sids: readonly string[]): Promise<ReadonlyMap<string, LivingRow>> {
    const living = new Map<string, LivingRow>()
    for (const some of idLists(sids)) {
      const { rows } = await this.#database.query(this.#sql.living(some.length), some)
      for (const row of rows) living.set(row.sid as string, livingOf(row))
    }
    return living
  }

  async count (): Promise<number> {
    return Number((await this.#database.query(this.#sql.count)).rows[0]!.n)
  }

  async countPeers (): Promise<number> {
    return Number((await this.#database.query(this.#sql.countPeers)).rows[0]!.n)
  }

  async peers (limit: number): Promise<readonly PeerRow[]> {
    return (await this.#database.query(this.#sql.peers, [limit])).rows.map(peerOf)
  }

  async purge (limit: number): Promise<readonly PurgedRow[]> {
    const sql = this.#sql
    const purged: PurgedRow[] = []
    for (const which of [sql.ended, sql.idled]) {
      const rows = (await this.#database.query(which, [limit])).rows
      for (const some of idLists(rows.map(row => row.hash as string))) await this.#database.query(sql.purge(some.length), some)
      purged.push(...rows.map(purgedOf))
    }
    const idle = (await this.#database.query(sql.idleVisitors, [limit])).rows.map(row => row.owner as string)
    for (const some of idLists(idle)) await this.#database.query(sql.purgeOwners(some.length), some)
    return purged
  }

  async #rows (text: string, param: string) {
    return (await this.#database.query(text, [param])).rows
  }

  async #lock (query: Query, { owner, tag }: LoginRequest): Promise<{ tag: string, epoch: number }> {
    if ((await query(this.#sql.lock, [owner.owner])).affected === 0) {
      await query(this.#sql.addOwner, [owner.owner, tag, owner.userId ?? null])
      await query(this.#sql.lock, [owner.owner])
    }
    const row = (await query(this.#sql.locked, [owner.owner])).rows[0]!
    return { tag: row.tag as string, epoch: Number(row.epoch) }
  }

  async #write (query: Query, hash: string, data: RowData): Promise<void> {
    await query(this.#sql.writeFlushed, [writeFields(data.fields), data.flushedSeq, writeThrough(data), hash])
  }

  /** Takes the row's lock: of the hash, or of the last of its successors. */
  async #bump (query: Query, hash: string): Promise<string | undefined> {
    let target: unknown = hash
    while (typeof target === 'string') {
      if ((await query(this.#sql.bump, [target])).affected === 1) return target
      target = (await query(this.#sql.successor, [target])).rows[0]?.next_hash
    }
    return undefined
  }
}

class Conflict extends Error {}
class Superseded extends Error {}

/** An id as it may be compared with a column: databases refuse some characters, and take no notice of spaces. What no session can have becomes what none has. */
function storable<T extends string | undefined> (sid: T): T | '' {
  return sid === undefined || /^[\w-]+$/.test(sid) ? sid : ''
}
