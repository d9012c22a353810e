import type { Held } from './copies.ts'
import type { Lease } from './copy-reads.ts'
import { FST_RSP_SESSION_ROTATED, FST_RSP_SESSION_STORE_DOWN } from './errors.ts'
import { copyFields, type FoundSession } from './found-session.ts'
import type { KeeperParts } from './keeper.ts'
import { ownerOf } from './owner.ts'
import type { PendingRow, RotateResult } from './stores/store.ts'
import { withinDeadline } from './within-deadline.ts'

/** What a rotation works with. */
export interface RotatorParts extends Pick<KeeperParts, 'store' | 'redis' | 'flusher' | 'mixedModeFlusher' | 'tokens' | 'events' | 'clock' | 'log' | 'options'> {
  /** Redis agrees on a row. */
  readonly confirm: (row: PendingRow) => void
}

/** A session's new secret. */
export interface Renewed {
  readonly token: string
  readonly hash: string
  /** Of a remembered session the time to its absolute end, ms. */
  readonly keptMs: number | undefined
}

/** Gives sessions new secrets, so that one that was stolen is of use for a bounded time, and its use is noticed. */
export class Rotator {
  readonly #parts: RotatorParts
  readonly #rotating = new Set<string>()

  constructor (parts: RotatorParts) {
    this.#parts = parts
  }

  /**
   * Gives a session whose secret is due a new one; the old one answers for `grace`, for requests that are on their way.
   * @returns the new token, and for a remembered session how long its cookie is kept;
   * undefined when another request has done so, the session has ended, or the durable store failed: the old one stays
   */
  async rotate (held: Held, found: FoundSession): Promise<Renewed | undefined> {
    if (found.rotation === undefined) return undefined
    try {
      return await this.#once(held, found, found.rotation)
    } catch (error) {
      // Nobody is told of a new secret that may not be there: the session goes on under the old one.
      this.#parts.log.debug({ err: error }, 'a session keeps its secret')
      return undefined
    }
  }

  /**
   * The same now, however old the secret is.
   * @throws FST_RSP_SESSION_ROTATED, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT: the old one stays
   */
  async rotateNow (held: Held, found: FoundSession): Promise<Renewed> {
    const { redis } = this.#parts
    const lease = redis === undefined ? 'alone' : await redis.copies.lease(held.tag)
    if (lease === undefined) throw new FST_RSP_SESSION_STORE_DOWN('rotate')
    const renewed = await this.#once(held, found, lease)
    if (renewed === undefined) throw new FST_RSP_SESSION_ROTATED()
    return renewed
  }

  async #once (held: Held, found: FoundSession, rotation: Lease | 'alone'): Promise<Renewed | undefined> {
    if (this.#rotating.has(held.hash)) return undefined
    this.#rotating.add(held.hash)
    try {
      return await this.#succeed(held, found, rotation)
    } finally {
      this.#rotating.delete(held.hash)
    }
  }

  async #succeed (held: Held, found: FoundSession, rotation: Lease | 'alone'): Promise<Renewed | undefined> {
    const { store, flusher, mixedModeFlusher, tokens, events, options } = this.#parts
    // Requests of the grace ask the durable store: it is to have all there is.
    if (rotation !== 'alone') await (flusher === undefined ? mixedModeFlusher?.whenFlushed(held.hash) : flusher.flush(held))
    const { sid, userId } = found
    const made = tokens.issue(held.tag)
    const sentMs = this.#nowMs()
    const request = { owner: ownerOf(found).owner, hash: held.hash, next: made.hash, graceMs: options.grace }
    const result = await withinDeadline(store.rotate(request), options.durableDeadline, 'rotate')
    if (result === undefined) return undefined
    if (rotation !== 'alone') await this.#moveCopy(held, result, { lease: rotation, sentMs })
    events.emit('rotated', { id: sid, userId })
    return { token: made.token, hash: made.hash, keptMs: result.row.rememberMs === undefined ? undefined : result.row.endLeftMs }
  }

  async #moveCopy ({ tag, hash }: Held, { row, superseded }: RotateResult, { lease, sentMs }: { lease: Lease, sentMs: number }): Promise<void> {
    const { flusher, confirm } = this.#parts
    const { copies, trust } = this.#parts.redis!
    const ttlMs = row.leftMs - (this.#nowMs() - sentMs)
    try {
      // What was saved into it meanwhile is the successor's, whose copy the next request fills.
      if (flusher !== undefined) await flusher.drop({ tag, hash })
      else await copies.rotate(tag, [hash, row.hash], lease, { version: row.version, ttlMs, fields: copyFields(row) })
    } catch {
      // Not acknowledged: the old copy may be believed past its grace, until everyone has asked the durable store.
      await trust.afterCommit()
      return
    }
    confirm(superseded)
  }

  #nowMs (): number {
    return this.#parts.clock.monotonicMs()
  }
}
