import { systemClock, type Clock } from '@respite/redis'
import { LRUCache } from 'lru-cache'
import { type FlushRequest, type FlushResult, type RowData, withFlush, withThrough } from './flush.ts'
import { changedBy, merged } from './merge.ts'
import { isEndedMark, isPeer } from './marks.ts'
import { victimsOf } from './per-user.ts'
import type {
  DeadSession, EndedRow, LiveSession, LivingRow, LoginRequest, LoginResult, OpenSettings, PeerRow, PendingRow, PurgedRow,
  RevokeRequest, RevokeResult, RotateRequest, RotateResult, SaveRequest, SaveResult, SessionInfo, SessionStore
} from './store.ts'

interface Row {
  hash: string
  sid: string
  owner: string
  userId: string | undefined
  epoch: number
  createdMs: number
  issuedMs: number
  idleMs: number
  rememberMs: number | undefined
  endMs: number
  version: number
  data: RowData
  /** Superseded by; `idleMs` is then the end of its grace. */
  next: string | undefined
}

/**
 * Sessions of one process, gone with it: the embedded default and the test double.
 * A row that ends is removed at once, since nobody keeps copies of it.
 */
export class MemoryStore implements SessionStore {
  readonly kind = 'memory'
  #clock: Clock = systemClock
  // In the order of the last touch, not of the last look.
  readonly #rows: LRUCache<string, Row>
  readonly #owners = new Map<string, { tag: string, epoch: number, hashes: Set<string> }>()
  readonly #hashOfSid = new Map<string, string>()

  /** @param max - beyond this many sessions the longest unused one ends */
  constructor (max = 100_000) {
    this.#rows = new LRUCache({ max, dispose: (row, _, reason) => { if (reason !== 'set') this.#unlink(row) } })
  }

  async open ({ clock }: OpenSettings): Promise<void> {
    this.#clock = clock
  }

  async close (): Promise<void> {
    this.#rows.clear()
    this.#owners.clear()
    this.#hashOfSid.clear()
  }

  async tagOf (owner: string): Promise<string | undefined> {
    return this.#owners.get(owner)?.tag
  }

  async find (hash: string): Promise<LiveSession | DeadSession> {
    const asked = this.#rows.peek(hash)
    const row = this.#successorOf(hash)
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
    const key = request.owner.owner
    const owner = this.#owners.get(key) ?? { tag: request.tag, epoch: 0, hashes: new Set<string>() }
    const counted = request.countEnded === true ? (hash: string) => this.#rows.peek(hash) : (hash: string) => this.#alive(hash)
    const alive = [...owner.hashes].map(counted).filter(row => row !== undefined).sort((a, b) => a.epoch - b.epoch)
    const ended = new Set(victimsOf(alive.map(row => row.sid), request, request.replaces))
    const victims = alive.filter(row => ended.has(row.sid)).map(({ hash, sid }) => ({ hash, sid }))
    for (const { hash } of victims) this.#rows.delete(hash)
    this.#owners.set(key, owner)
    owner.epoch++
    owner.hashes.add(request.hash)
    const nowMs = this.#nowMs()
    const leftMs = Math.min(request.idleMs, request.absoluteMs)
    const { hash, sid, fields } = request
    this.#rows.set(hash, {
      hash,
      sid,
      data: { fields, flushedSeq: 0, through: new Map() },
      owner: key,
      userId: request.owner.userId,
      epoch: owner.epoch,
      createdMs: nowMs,
      issuedMs: nowMs,
      idleMs: nowMs + leftMs,
      rememberMs: request.remembered === true ? request.idleMs : undefined,
      endMs: nowMs + request.absoluteMs,
      version: 1,
      next: undefined
    })
    this.#hashOfSid.set(sid, hash)
    return { tag: owner.tag, dead: victims, ended: [...ended], version: 1, leftMs, capped: request.absoluteMs <= request.idleMs }
  }

  async revoke ({ owner, sid, except }: RevokeRequest): Promise<RevokeResult> {
    const known = this.#owners.get(owner)
    const rows = [...known?.hashes ?? []].map(hash => this.#rows.peek(hash)!).filter(row => (sid === undefined || row.sid === sid) && row.sid !== except)
    const dead: EndedRow[] = rows.map(row => ({ hash: row.hash, sid: row.sid }))
    for (const { hash } of dead) this.#rows.delete(hash)
    return { tag: known?.tag, dead, ended: [...new Set(dead.map(row => row.sid))] }
  }

  async ownerOfSession (sid: string): Promise<string | undefined> {
    return this.#rows.peek(this.#hashOfSid.get(sid) ?? '')?.owner
  }

  async save (request: SaveRequest): Promise<SaveResult> {
    const row = this.#latestOf(request.hash)
    if (row === undefined) return { outcome: 'gone' }
    if (request.conflict === 'compare-and-set' && (row.version !== request.loaded || row.hash !== request.hash)) return { outcome: 'conflict' }
    const fields = merged(row.data.fields, request)
    row.version++
    row.data = request.through === true ? withThrough(row.data, fields, { changed: changedBy(request, row.data.fields), version: row.version }) : { ...row.data, fields }
    return { outcome: 'saved', hash: row.hash, version: row.version }
  }

  async flush (request: FlushRequest): Promise<FlushResult> {
    const asked = this.#rows.peek(request.hash)
    const row = this.#alive(asked?.next ?? request.hash)
    if (row === undefined) return { outcome: 'gone' }
    const { row: data, stale } = withFlush(row.data, request)
    row.data = data
    row.version++
    return { outcome: 'saved', hash: row.hash, version: row.version, stale }
  }

  async rotate ({ owner, hash, next, graceMs }: RotateRequest): Promise<RotateResult | undefined> {
    const row = this.#alive(hash)
    if (row === undefined || row.owner !== owner || row.next !== undefined) return undefined
    const nowMs = this.#nowMs()
    const successor = { ...row, hash: next, issuedMs: nowMs, version: row.version + 1 }
    const { tag, hashes } = this.#owners.get(owner)!
    hashes.add(next)
    row.next = next
    row.idleMs = Math.min(row.idleMs, nowMs + graceMs)
    this.#hashOfSid.set(row.sid, next)
    this.#rows.set(next, successor)
    return { row: await this.find(next) as LiveSession, superseded: { hash, tag, dead: false, pend: 0 } }
  }

  async touch (hash: string, idleMs: number) {
    const row = this.#alive(hash)
    if (row === undefined || row.next !== undefined) return undefined
    const nowMs = this.#nowMs()
    row.idleMs = Math.min(nowMs + (row.rememberMs ?? idleMs), row.endMs)
    this.#rows.get(hash)
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
    return [...this.#owners.get(owner)?.hashes ?? []].reverse().flatMap(hash => {
      const row = this.#alive(hash)
      if (row?.userId === undefined || row.next !== undefined) return []
      const createdAt = date(row.createdMs)
      const remembered = row.rememberMs !== undefined
      return { id: row.sid, userId: row.userId, createdAt, authenticatedAt: createdAt, remembered, idleUntil: date(row.idleMs), expiresAt: date(row.endMs) }
    })
  }

  async living (sids: readonly string[]) {
    const living = new Map<string, LivingRow>()
    for (const sid of sids) {
      const row = this.#alive(this.#hashOfSid.get(sid) ?? '')
      if (row === undefined) continue
      const leftMs = Math.min(row.idleMs, row.endMs) - this.#nowMs()
      living.set(sid, { hash: row.hash, tag: this.#owners.get(row.owner)!.tag, leftMs, capped: row.endMs <= row.idleMs, rememberMs: row.rememberMs })
    }
    return living
  }

  async count (): Promise<number> {
    return this.#count(sid => !isEndedMark(sid))
  }

  async countPeers (): Promise<number> {
    return this.#count(isPeer)
  }

  async peers (limit: number) {
    const peers: PeerRow[] = []
    for (const { sid, owner, data: { fields }, idleMs, endMs, ...row } of this.#oldestFirst()) {
      if (!isPeer(sid) || this.#alive(row.hash) === undefined) continue
      peers.push({ sid, owner, fields, tag: this.#owners.get(owner)!.tag, leftMs: Math.min(idleMs, endMs) - this.#nowMs() })
      if (peers.length === limit) break
    }
    return peers
  }

  async purge (limit: number) {
    const purged: PurgedRow[] = []
    for (const row of this.#oldestFirst()) {
      // One that is superseded is kept as long as the session could last: so its reuse is known.
      if (row.next === undefined ? this.#isAlive(row) : row.endMs > this.#nowMs()) continue
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
    for (const row of this.#oldestFirst()) if (row.next === undefined && counts(row.sid) && this.#isAlive(row)) alive++
    return alive
  }

  #isAlive (row: Row): boolean {
    const nowMs = this.#nowMs()
    return row.idleMs > nowMs && row.endMs > nowMs
  }

  #alive (hash: string): Row | undefined {
    const row = this.#rows.peek(hash)
    return row !== undefined && this.#isAlive(row) ? row : undefined
  }

  /** The row that a hash stands for now: its own, or within its grace that of its successor. */
  #successorOf (hash: string): Row | undefined {
    const row = this.#alive(hash)
    return row?.next === undefined ? row : this.#alive(row.next)
  }

  /** The last of a hash's successors, also past the grace, which is for look-ups: whoever saves was accepted before. */
  #latestOf (hash: string): Row | undefined {
    let row = this.#rows.peek(hash)
    while (row?.next !== undefined) row = this.#rows.peek(row.next)
    return row !== undefined && this.#isAlive(row) ? row : undefined
  }

  #oldestFirst (): Row[] {
    return [...this.#rows.rvalues()].filter(row => row !== undefined)
  }

  #unlink ({ hash, sid, owner: key }: Row): void {
    if (this.#hashOfSid.get(sid) === hash) this.#hashOfSid.delete(sid)
    const owner = this.#owners.get(key)
    if (owner === undefined) return
    owner.hashes.delete(hash)
    // The tag goes with the last session: no token of it is left that could be shown.
    if (owner.hashes.size === 0) this.#owners.delete(key)
  }
}
