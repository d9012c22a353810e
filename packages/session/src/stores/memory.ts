import { systemClock, type Clock } from '@respite/redis'
import { type FlushRequest, type FlushResult, withFlush, withThrough } from './flush.ts'
import { changedBy, merged } from './merge.ts'
import { isPeer, isTombstone } from './sid-prefixes.ts'
import { MemoryRows } from './memory-rows.ts'
import { victimsOf } from './per-user.ts'
import type {
  DeadSession, EndedRow, LiveSession, LivingRow, LoginRequest, LoginResult, OpenSettings, PeerRow, PendingRow, PurgedRow,
  RevokeRequest, RevokeResult, RotateRequest, RotateResult, SaveRequest, SaveResult, SessionInfo, SessionStore
} from './store.ts'

/**
 * Sessions of one process, gone with it: the embedded default and the test double.
 * A row that ends is removed at once, since nobody keeps copies of it.
 */
export class MemoryStore implements SessionStore {
  readonly kind = 'memory'
  #clock: Clock = systemClock
  readonly #rows: MemoryRows

  /** @param max - beyond this many sessions the longest unused one ends */
  constructor (max = 100_000) {
    this.#rows = new MemoryRows(max, () => this.#nowMs())
  }

  async open ({ clock }: OpenSettings): Promise<void> {
    this.#clock = clock
  }

  async close (): Promise<void> {
    this.#rows.clear()
  }

  async tagOf (owner: string): Promise<string | undefined> {
    return this.#rows.ownerOf(owner)?.tag
  }

  async find (hash: string): Promise<LiveSession | DeadSession> {
    const asked = this.#rows.get(hash)
    const row = this.#rows.successorOf(hash)
    const nowMs = this.#nowMs()
    if (row === undefined) {
      const late = asked?.next !== undefined && asked.idleMs <= nowMs && asked.endMs > nowMs
      return { reuse: late ? { sid: asked.sid, owner: asked.owner } : undefined }
    }
    return {
      hash: row.hash,
      sid: row.sid,
      userId: row.userId,
      version: row.version,
      fields: row.data.fields,
      flushedSeq: row.data.flushedSeq,
      leftMs: Math.min(row.idleMs, row.endMs) - nowMs,
      capped: row.endMs <= row.idleMs,
      rememberMs: row.rememberMs,
      endLeftMs: row.endMs - nowMs,
      authAgeMs: nowMs - row.createdMs,
      issuedAgeMs: nowMs - row.issuedMs,
      superseded: row !== asked
    }
  }

  async login (request: LoginRequest): Promise<LoginResult> {
    const { owner: key, userId } = request.owner
    const owner = this.#rows.ownerOrNew(key, request.tag)
    const counted = this.#rows.ofOwner(key).filter(row => request.countEnded === true || this.#rows.isAlive(row)).sort((a, b) => a.epoch - b.epoch)
    const ended = new Set(victimsOf(counted.map(row => row.sid), request, request.replaces))
    const victims = counted.filter(row => ended.has(row.sid)).map(({ hash, sid }) => ({ hash, sid }))
    for (const { hash } of victims) this.#rows.delete(hash)
    owner.epoch++
    const nowMs = this.#nowMs()
    const leftMs = Math.min(request.idleMs, request.absoluteMs)
    const { hash, sid, fields } = request
    this.#rows.add({
      hash,
      sid,
      data: { fields, flushedSeq: 0, through: new Map() },
      owner: key,
      userId,
      epoch: owner.epoch,
      createdMs: nowMs,
      issuedMs: nowMs,
      idleMs: nowMs + leftMs,
      rememberMs: request.remembered === true ? request.idleMs : undefined,
      endMs: nowMs + request.absoluteMs,
      version: 1,
      next: undefined
    }, owner)
    return { tag: owner.tag, dead: victims, ended: [...ended], version: 1, leftMs, capped: request.absoluteMs <= request.idleMs }
  }

  async revoke ({ owner, sid, except }: RevokeRequest): Promise<RevokeResult> {
    const tag = this.#rows.ownerOf(owner)?.tag
    const rows = this.#rows.ofOwner(owner).filter(row => (sid === undefined || row.sid === sid) && row.sid !== except)
    const dead: EndedRow[] = rows.map(row => ({ hash: row.hash, sid: row.sid }))
    for (const { hash } of dead) this.#rows.delete(hash)
    return { tag, dead, ended: [...new Set(dead.map(row => row.sid))] }
  }

  async ownerOfSession (sid: string): Promise<string | undefined> {
    return this.#rows.ofSid(sid)?.owner
  }

  async save (request: SaveRequest): Promise<SaveResult> {
    const row = this.#rows.latestOf(request.hash)
    if (row === undefined) return { outcome: 'gone' }
    if (request.conflict === 'compare-and-set' && (row.version !== request.loaded || row.hash !== request.hash)) return { outcome: 'conflict' }
    const fields = merged(row.data.fields, request)
    row.version++
    row.data = request.through === true ? withThrough(row.data, fields, { changed: changedBy(request, row.data.fields), version: row.version }) : { ...row.data, fields }
    return { outcome: 'saved', hash: row.hash, version: row.version }
  }

  async flush (request: FlushRequest): Promise<FlushResult> {
    const asked = this.#rows.get(request.hash)
    const row = this.#rows.alive(asked?.next ?? request.hash)
    if (row === undefined) return { outcome: 'gone' }
    const { row: data, stale } = withFlush(row.data, request)
    row.data = data
    row.version++
    return { outcome: 'saved', hash: row.hash, version: row.version, stale }
  }

  async rotate ({ owner, hash, next, graceMs }: RotateRequest): Promise<RotateResult | undefined> {
    const row = this.#rows.alive(hash)
    if (row === undefined || row.owner !== owner || row.next !== undefined) return undefined
    const nowMs = this.#nowMs()
    const successor = { ...row, hash: next, issuedMs: nowMs, version: row.version + 1 }
    const known = this.#rows.ownerOf(owner)!
    row.next = next
    row.idleMs = Math.min(row.idleMs, nowMs + graceMs)
    this.#rows.add(successor, known)
    return { row: await this.find(next) as LiveSession, superseded: { hash, tag: known.tag, dead: false, pend: 0 } }
  }

  async touch (hash: string, idleMs: number) {
    const row = this.#rows.alive(hash)
    if (row === undefined || row.next !== undefined) return undefined
    const nowMs = this.#nowMs()
    row.idleMs = Math.min(nowMs + (row.rememberMs ?? idleMs), row.endMs)
    this.#rows.use(hash)
    return { leftMs: row.idleMs - nowMs, capped: row.endMs <= row.idleMs, issuedAgeMs: nowMs - row.issuedMs }
  }

  async pending (): Promise<readonly PendingRow[]> {
    return []
  }

  async confirm (): Promise<void> {
    // There are no copies that could disagree.
  }

  async markPending (): Promise<void> {
    // There are no copies that could disagree.
  }

  async list (owner: string): Promise<readonly SessionInfo[]> {
    const wallMs = this.#clock.wallMs() - this.#nowMs()
    const date = (ms: number) => new Date(ms + wallMs)
    // The latest log-in first.
    return this.#rows.ofOwner(owner).reverse().flatMap(row => {
      if (row.userId === undefined || row.next !== undefined || !this.#rows.isAlive(row)) return []
      const createdAt = date(row.createdMs)
      const remembered = row.rememberMs !== undefined
      return { id: row.sid, userId: row.userId, createdAt, authenticatedAt: createdAt, remembered, idleUntil: date(row.idleMs), expiresAt: date(row.endMs) }
    })
  }

  async living (sids: readonly string[]) {
    const living = new Map<string, LivingRow>()
    for (const sid of sids) {
      const row = this.#rows.ofSid(sid)
      if (row === undefined || !this.#rows.isAlive(row)) continue
      const leftMs = Math.min(row.idleMs, row.endMs) - this.#nowMs()
      living.set(sid, { hash: row.hash, tag: this.#rows.ownerOf(row.owner)!.tag, leftMs, capped: row.endMs <= row.idleMs, rememberMs: row.rememberMs })
    }
    return living
  }

  async count (): Promise<number> {
    return this.#count(sid => !isTombstone(sid))
  }

  async countPeers (): Promise<number> {
    return this.#count(isPeer)
  }

  async peers (limit: number) {
    const peers: PeerRow[] = []
    for (const { sid, owner, data: { fields }, idleMs, endMs, ...row } of this.#rows.oldestFirst()) {
      if (!isPeer(sid) || this.#rows.alive(row.hash) === undefined) continue
      peers.push({ sid, owner, fields, tag: this.#rows.ownerOf(owner)!.tag, leftMs: Math.min(idleMs, endMs) - this.#nowMs() })
      if (peers.length === limit) break
    }
    return peers
  }

  async purge (limit: number) {
    const purged: PurgedRow[] = []
    for (const row of this.#rows.oldestFirst()) {
      // One that is superseded is kept as long as the session could last: so its reuse is known.
      if (row.next === undefined ? this.#rows.isAlive(row) : row.endMs > this.#nowMs()) continue
      purged.push({ sid: row.sid, userId: row.userId, expired: row.next === undefined })
      this.#rows.delete(row.hash)
      if (purged.length === limit) break
    }
    return purged
  }

  #nowMs (): number {
    return this.#clock.monotonicMs()
  }

  #count (counts: (sid: string) => boolean): number {
    let alive = 0
    for (const row of this.#rows.oldestFirst()) if (row.next === undefined && counts(row.sid) && this.#rows.isAlive(row)) alive++
    return alive
  }
}
