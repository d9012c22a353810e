import { LRUCache } from 'lru-cache'
import type { RowData } from './flush.ts'

/** A session under one of its hashes; its moments (`createdMs`, `issuedMs`, `idleMs`, `endMs`) by the monotonic clock. */
export interface MemoryRow {
  hash: string
  sid: string
  owner: string
  userId: string | undefined
  epoch: number
  createdMs: number
  issuedMs: number
  idleMs: number
  /** Of a remembered session the idle time that it was promised, ms. */
  rememberMs: number | undefined
  endMs: number
  version: number
  data: RowData
  /** Superseded by; `idleMs` is then the end of its grace. */
  next: string | undefined
}

/** Who has sessions, and which. */
export interface MemoryOwner { readonly tag: string, epoch: number, readonly hashes: Set<string> }

/** The rows of a `MemoryStore`, by hash, owner and public id. */
export class MemoryRows {
  readonly #nowMs: () => number
  // In the order of the last touch, not of the last look.
  readonly #rows: LRUCache<string, MemoryRow>
  readonly #owners = new Map<string, MemoryOwner>()
  readonly #hashOfSid = new Map<string, string>()

  /** @param max - beyond this many the longest unused one goes */
  constructor (max: number, nowMs: () => number) {
    this.#nowMs = nowMs
    this.#rows = new LRUCache({ max, dispose: (row, _, reason) => { if (reason !== 'set') this.#unlink(row) } })
  }

  clear (): void {
    this.#rows.clear()
    this.#owners.clear()
    this.#hashOfSid.clear()
  }

  ownerOf (key: string): MemoryOwner | undefined {
    return this.#owners.get(key)
  }

  /** The same, with a tag for one that has no sessions yet: it is known with its first row. */
  ownerOrNew (key: string, tag: string): MemoryOwner {
    return this.#owners.get(key) ?? { tag, epoch: 0, hashes: new Set() }
  }

  /** The row of a hash, alive or not. */
  get (hash: string): MemoryRow | undefined {
    return this.#rows.peek(hash)
  }

  /** The latest row of a public id. */
  ofSid (sid: string): MemoryRow | undefined {
    return this.get(this.#hashOfSid.get(sid) ?? '')
  }

  /** Every row of an owner, in the order in which they were added. */
  ofOwner (key: string): MemoryRow[] {
    return [...this.#owners.get(key)?.hashes ?? []].map(hash => this.get(hash)!)
  }

  add (row: MemoryRow, owner: MemoryOwner): void {
    this.#owners.set(row.owner, owner)
    owner.hashes.add(row.hash)
    this.#hashOfSid.set(row.sid, row.hash)
    this.#rows.set(row.hash, row)
  }

  delete (hash: string): void {
    this.#rows.delete(hash)
  }

  /** From here on it is the one that was used last. */
  use (hash: string): void {
    this.#rows.get(hash)
  }

  isAlive (row: MemoryRow): boolean {
    const nowMs = this.#nowMs()
    return row.idleMs > nowMs && row.endMs > nowMs
  }

  alive (hash: string): MemoryRow | undefined {
    const row = this.get(hash)
    return row !== undefined && this.isAlive(row) ? row : undefined
  }

  /** The row that a hash stands for now: its own, or within its grace that of its successor. */
  successorOf (hash: string): MemoryRow | undefined {
    const row = this.alive(hash)
    return row?.next === undefined ? row : this.alive(row.next)
  }

  /** The last of a hash's successors, also past the grace, which is for look-ups: whoever saves was accepted before. */
  latestOf (hash: string): MemoryRow | undefined {
    let row = this.get(hash)
    while (row?.next !== undefined) row = this.get(row.next)
    return row !== undefined && this.isAlive(row) ? row : undefined
  }

  oldestFirst (): MemoryRow[] {
    return [...this.#rows.rvalues()].filter(row => row !== undefined)
  }

  #unlink ({ hash, sid, owner: key }: MemoryRow): void {
    if (this.#hashOfSid.get(sid) === hash) this.#hashOfSid.delete(sid)
    const owner = this.#owners.get(key)
    if (owner === undefined) return
    owner.hashes.delete(hash)
    // The tag goes with the last session: no token of it is left that could be shown.
    if (owner.hashes.size === 0) this.#owners.delete(key)
  }
}
