import { LRUCache } from 'lru-cache'
import type { Copies, Held } from './copies.ts'
import type { Lease } from './copy-reads.ts'
import type { Flusher } from './flusher.ts'
import { copyFields, type FoundSession, foundInRedis, foundInStore } from './found-session.ts'
import type { LocalSessions } from './local-sessions.ts'
import type { SessionEvents } from './session-events.ts'
import { type Answer, SharedReads } from './shared-reads.ts'
import { isLive, type LiveSession, type DeadSession } from './stores/store.ts'
import type { Credential } from './token.ts'
import type { Trust } from './trust.ts'

/** The session, or undefined if there is none; with an error neither is known. */
export type FoundCallback = (error: Error | null, found?: FoundSession) => void

/** What a look-up works with; without `redis` every request asks the store. */
export interface LookUpParts {
  readonly find: (credential: Credential) => Promise<LiveSession | DeadSession>
  readonly redis: { readonly copies: Copies, readonly trust: Trust, /** What this process keeps. */ readonly local: LocalSessions | undefined } | undefined
  /** The data set that is asked now, where another one may know sessions that this one does not. */
  readonly dataSetOf?: (credential: Credential) => string | undefined
  /** With `data` other than through. */
  readonly flusher: Flusher | undefined
  /** With `data: 'through'`, for what instances of another mode have left in copies. */
  readonly mixedModeFlusher: Flusher | undefined
  readonly events: SessionEvents
  readonly monotonicMs: () => number
  /** Age from which on a session gets a new hash; Infinity: never. */
  readonly rotateMs: number
  /** A superseded token was used past its grace. */
  readonly onReuse: (reuse: { readonly sid: string, readonly owner: string }) => void
  /** What was done in the background and failed; nothing rests on it. */
  readonly onBackground: (work: Promise<unknown>) => void
}

/** In place of a data set: dead in any. */
const whichever = ''

/** Finds the session of a verified token: in Redis if that may be believed, else in the durable store. */
export class LookUp {
  readonly #parts: LookUpParts
  readonly #reads: SharedReads
  // Hashes the store does not hold alive, and the data set that says so; there they never come alive again, so that to remember them is safe. Bounded.
  readonly #dead = new LRUCache<string, string>({ max: 10_000, ttl: 60_000 })

  constructor (parts: LookUpParts) {
    this.#parts = parts
    this.#reads = new SharedReads(parts.find, parts.monotonicMs)
  }

  /** Calls back once, perhaps before it returns. */
  find (held: Held, callback: FoundCallback): void {
    const { redis, events, flusher } = this.#parts
    if (this.#isDead(held)) {
      events.dead.inc()
      callback(null)
      return
    }
    const kept = redis?.local?.find(held)
    if (kept !== undefined) {
      events.local.inc()
      if (kept.unsaved) flusher?.note(held)
      callback(null, kept)
      return
    }
    const asked = redis !== undefined && redis.trust.believes(held.hash) && (redis.local ?? redis.copies).read(held, (error, reply) => {
      if (error !== null || reply === undefined) this.#ask(held, undefined, callback)
      else if (reply[0] === 'HIT') this.#hit(held, reply, callback)
      else if (reply[0] === 'MISS') this.#miss(held, { n: reply[1], g: reply[2] }, callback)
      else {
        events.dead.inc()
        callback(null)
      }
    })
    if (asked) return
    if (redis === undefined) this.#ask(held, undefined, callback)
    else this.#fallBack(held, callback)
  }

  /** Asks the durable store, whatever Redis has: for what Redis does not know, such as the age of the log-in. */
  findFresh (held: Held, callback: FoundCallback): void {
    const { flusher, redis } = this.#parts
    const asked = flusher !== undefined && redis!.trust.believes(held.hash) && redis!.copies.read(held, (error, reply) => {
      if (error !== null || reply === undefined) this.#ask(held, undefined, callback)
      else if (reply[0] === 'MISS') this.#miss(held, { n: reply[1], g: reply[2] }, callback)
      // The copy alone may have the latest data.
      else this.#ask(held, undefined, (error, found) => callback(error, found && reply[0] === 'HIT' ? { ...found, flat: reply[4] } : found))
    })
    if (!asked) this.#ask(held, undefined, callback)
  }

  /** This session has ended: remembered here. */
  forget (hash: string): void {
    this.#dead.set(hash, whichever)
  }

  #isDead (held: Held): boolean {
    const dataSet = this.#dead.get(held.hash)
    return dataSet !== undefined && (dataSet === whichever || dataSet === this.#parts.dataSetOf?.(held))
  }

  #hit (held: Held, reply: ['HIT', string, string, number, string[]], callback: FoundCallback): void {
    this.#parts.events.hit.inc()
    const found = foundInRedis(held.hash, reply)
    if (found.unsaved) {
      this.#parts.flusher?.note(held)
      this.#parts.mixedModeFlusher?.flushInBackground(held)
    }
    callback(null, found)
  }

  #miss (held: Held, lease: Lease, callback: FoundCallback): void {
    const { events, flusher } = this.#parts
    events.miss.inc()
    if (flusher === undefined) return this.#ask(held, lease, callback)
    // A copy of another era, such as before a restart of Redis, may have what its row has not, and a fill would replace it.
    flusher.flush(held).then(() => this.#ask(held, lease, callback), () => this.#ask(held, undefined, callback))
  }

  /** Redis is not believed. If the durable store fails too, it may be believed for a stated time. */
  #fallBack (held: Held, callback: FoundCallback): void {
    const { copies, trust } = this.#parts.redis!
    this.#parts.events.fallback.inc()
    this.#ask(held, undefined, (error, found) => {
      const asked = error !== null && trust.outlasts(held.hash) && copies.read(held, (_, reply) => {
        if (reply?.[0] === 'HIT') this.#hit(held, reply, callback)
        else callback(reply?.[0] === 'DEAD' ? null : error)
      })
      if (!asked) callback(error, found)
    })
  }

  #ask (held: Held, lease: Lease | undefined, callback: FoundCallback): void {
    this.#reads.ask(held, lease, (error, answer) => {
      if (answer === undefined) callback(error)
      else if (isLive(answer.found)) this.#alive(held, answer, answer.found, callback)
      else this.#gone(held, answer, answer.found, callback)
    })
  }

  #alive (held: Held, { lease, sentMs }: Answer, row: LiveSession, callback: FoundCallback): void {
    const found = foundInStore(row, this.#parts.redis === undefined ? this.#parts.rotateMs : undefined)
    if (row.superseded && this.#parts.flusher !== undefined) this.#ofSuccessor(held, found, callback)
    else callback(null, found)
    // A superseded id is never kept in Redis: the store answers the few requests of its grace.
    if (lease === undefined || row.superseded) return
    const ttlMs = row.leftMs - (this.#parts.monotonicMs() - sentMs)
    this.#parts.onBackground(this.#parts.redis!.copies.fill(held, lease, { version: row.version, ttlMs, fields: copyFields(row) }))
  }

  /** The copy of the successor alone may have the latest data. */
  #ofSuccessor (held: Held, found: FoundSession, callback: FoundCallback): void {
    const { copies, trust } = this.#parts.redis!
    const asked = trust.believes(found.hash) && copies.read(copies.hold({ tag: held.tag, hash: found.hash }), (_, reply) => {
      callback(null, reply?.[0] === 'HIT' ? { ...found, flat: reply[4] } : found)
    })
    if (!asked) callback(null, found)
  }

  #gone (held: Held, { lease }: Answer, { reuse, dataSet = whichever }: DeadSession, callback: FoundCallback): void {
    if (held.chosen !== true) this.#dead.set(held.hash, dataSet)
    callback(null)
    if (reuse !== undefined) this.#parts.onReuse(reuse)
    if (lease !== undefined && held.chosen !== true) this.#parts.onBackground(this.#parts.redis!.copies.bury(held))
  }
}
