import { systemClock, type Clock } from '@respite/redis'
import { merged } from './merge.ts'
import { victimsOf } from './per-user.ts'
import type {
  DeadSession, EndedRow, Fields, LiveSession, LoginRequest, LoginResult, OpenSettings, PendingRow, RevokeRequest, RevokeResult, SaveRequest, SaveResult, SessionInfo, SessionStore
} from './store.ts'

interface Row {
  hash: string
  sid: string
  owner: string
  userId: string | undefined
  epoch: number
  createdMs: number
  idleMs: number
  endMs: number
  version: number
  fields: Fields
}

/**
 * Sessions of one process, gone with it: the embedded default and the test double.
 * A row that ends is removed at once, since nobody keeps copies of it.
 */
export class MemoryStore implements SessionStore {
  readonly kind = 'memory'
  readonly #max: number
  #clock: Clock = systemClock
  // In the order of last use: the first is the longest unused.
  readonly #rows = new Map<string, Row>()
  readonly #owners = new Map<string, { tag: string, epoch: number, hashes: Set<string> }>()
  readonly #hashOfSid = new Map<string, string>()

  /** @param max - beyond this many sessions the longest unused one ends */
  constructor (max = 100_000) {
    this.#max = max
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
    const row = this.#alive(hash)
    if (row === undefined) return { reuse: undefined }
    const nowMs = this.#nowMs()
    return {
      hash,
      sid: row.sid,
      userId: row.userId,
      version: row.version,
      fields: row.fields,
      leftMs: Math.min(row.idleMs, row.endMs) - nowMs,
      capped: row.endMs <= row.idleMs,
      authAgeMs: nowMs - row.createdMs,
      superseded: false
    }
  }

  async login (request: LoginRequest): Promise<LoginResult> {
    const key = request.owner.owner
    const owner = this.#owners.get(key) ?? { tag: request.tag, epoch: 0, hashes: new Set<string>() }
    const alive = [...owner.hashes].map(hash => this.#alive(hash)).filter(row => row !== undefined).sort((a, b) => a.epoch - b.epoch)
    const ended = new Set(victimsOf(alive.map(row => row.sid), request, request.replaces))
    const victims = alive.filter(row => ended.has(row.sid)).map(({ hash, sid }) => ({ hash, sid }))
    for (const { hash } of victims) this.#remove(hash)
    this.#owners.set(key, owner)
    owner.epoch++
    owner.hashes.add(request.hash)
    const nowMs = this.#nowMs()
    const leftMs = Math.min(request.idleMs, request.absoluteMs)
    const { hash, sid, fields } = request
    this.#rows.set(hash, {
      hash, sid, fields, owner: key, userId: request.owner.userId, epoch: owner.epoch, createdMs: nowMs, idleMs: nowMs + leftMs, endMs: nowMs + request.absoluteMs, version: 1
    })
    this.#hashOfSid.set(sid, hash)
    this.#bound()
    return { tag: owner.tag, victims, version: 1, leftMs, capped: request.absoluteMs <= request.idleMs }
  }

  async revoke ({ owner, sid, except }: RevokeRequest): Promise<RevokeResult> {
    const known = this.#owners.get(owner)
    const rows = [...known?.hashes ?? []].map(hash => this.#rows.get(hash)!).filter(row => (sid === undefined || row.sid === sid) && row.sid !== except)
    const dead: EndedRow[] = rows.map(row => ({ hash: row.hash, sid: row.sid }))
    for (const { hash } of dead) this.#remove(hash)
    return { tag: known?.tag, dead, ended: dead.map(row => row.sid) }
  }

  async ownerOfSession (sid: string): Promise<string | undefined> {
    return this.#rows.get(this.#hashOfSid.get(sid) ?? '')?.owner
  }

  async save (request: SaveRequest): Promise<SaveResult> {
    const row = this.#alive(request.hash)
    if (row === undefined) return { outcome: 'gone' }
    if (request.conflict === 'compare-and-set' && row.version !== request.loaded) return { outcome: 'conflict' }
    row.fields = merged(row.fields, request)
    row.version++
    return { outcome: 'saved', hash: row.hash, version: row.version }
  }

  async touch (hash: string, idleMs: number) {
    const row = this.#alive(hash)
    if (row === undefined) return undefined
    const nowMs = this.#nowMs()
    row.idleMs = Math.min(nowMs + idleMs, row.endMs)
    this.#rows.delete(hash)
    this.#rows.set(hash, row)
    return { leftMs: row.idleMs - nowMs, capped: row.endMs <= row.idleMs, issuedAgeMs: nowMs - row.createdMs }
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
      if (row?.userId === undefined) return []
      const createdAt = date(row.createdMs)
      return { id: row.sid, userId: row.userId, createdAt, authenticatedAt: createdAt, idleUntil: date(row.idleMs), expiresAt: date(row.endMs) }
    })
  }

  async count (): Promise<number> {
    let alive = 0
    for (const row of this.#rows.values()) if (this.#isAlive(row)) alive++
    return alive
  }

  async purge (limit: number) {
    const expired = []
    for (const row of this.#rows.values()) {
      if (this.#isAlive(row)) continue
      expired.push({ sid: row.sid, userId: row.userId })
      this.#remove(row.hash)
      if (expired.length === limit) break
    }
    return expired
  }

  #nowMs (): number {
    return this.#clock.monotonicMs()
  }

  #isAlive (row: Row): boolean {
    const nowMs = this.#nowMs()
    return row.idleMs > nowMs && row.endMs > nowMs
  }

  #alive (hash: string): Row | undefined {
    const row = this.#rows.get(hash)
    return row !== undefined && this.#isAlive(row) ? row : undefined
  }

  #remove (hash: string): void {
    const row = this.#rows.get(hash)
    if (row === undefined) return
    this.#rows.delete(hash)
    this.#hashOfSid.delete(row.sid)
    const owner = this.#owners.get(row.owner)!
    owner.hashes.delete(hash)
    // The tag goes with the last session: no token of it is left that could be shown.
    if (owner.hashes.size === 0) this.#owners.delete(row.owner)
  }

  #bound (): void {
    if (this.#rows.size > this.#max) this.#remove(this.#rows.keys().next().value!)
  }
}
