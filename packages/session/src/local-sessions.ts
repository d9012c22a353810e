import type { Clock, Invalidations, LocalCopies } from '@respite/redis'
import { LRUCache } from 'lru-cache'
import type { Copies, Held } from './copies.ts'
import type { ReadCallback, ReadReply } from './copy-reads.ts'
import { foundInRedis, type FoundSession } from './found-session.ts'
import { ageMs, type Moment, momentOf } from './moment.ts'
import type { Trust } from './trust.ts'

/** What bounds the sessions that a process keeps. */
export interface LocalBounds {
  readonly maxAge: number
  readonly maxItems: number
  readonly maxBytes: number
}

/** What keeps and ends them. */
export interface LocalParts {
  readonly copies: Copies
  readonly trust: Trust
  readonly invalidations: Invalidations
  readonly clock: Clock
}

/** A session kept in this process. */
interface LocalSession {
  /** As Redis said it when it was asked: also what it had left. */
  readonly found: FoundSession
  readonly gateKey: string
  readonly era: string
  readonly asked: Moment
}

interface Question { readonly held: Held, readonly era: string, readonly asked: Moment }

// What an entry takes beside its text: the objects that hold it, and its places in two maps.
const overheadBytes = 1_000

/**
 * Copies of sessions in this process, so that a request need not ask Redis. One is kept only of a copy that Redis had while it was sure
 * to tell of the copy's end, and ends with that word: about the copy, or about the user's gate. It is believed under the conditions under
 * which Redis is: lately polled, not pending, of the same era.
 */
export class LocalSessions implements LocalCopies {
  readonly #parts: LocalParts
  readonly #maxAgeMs: number
  readonly #sessions: LRUCache<string, LocalSession>
  // The kept sessions of a user, by the gate's key: as many as are in the other map.
  readonly #ofGate = new Map<string, Set<string>>()

  constructor (parts: LocalParts, { maxAge, maxItems, maxBytes }: LocalBounds) {
    this.#parts = parts
    this.#maxAgeMs = maxAge
    this.#sessions = new LRUCache({ max: maxItems, maxSize: maxBytes, sizeCalculation: bytesOf, dispose: ({ gateKey }, key) => this.#leave(gateKey, key) })
  }

  get size (): number { return this.#sessions.size }
  get bytes (): number { return this.#sessions.calculatedSize }

  /** From here on the server's word is heard. @returns the way to stop */
  follow (): () => void {
    const { invalidations, copies } = this.#parts
    return invalidations.follow([copies.prefix], this)
  }

  /** The session, if it is kept here and may be believed now. */
  find (held: Held): FoundSession | undefined {
    const { copies, trust, invalidations, clock } = this.#parts
    const [gateKey, key] = held.keys
    const kept = this.#sessions.get(key)
    if (kept === undefined) return undefined
    const keptMs = ageMs(clock, kept.asked)
    if (keptMs >= kept.found.leftMs || keptMs >= this.#maxAgeMs || kept.era !== copies.eraOf(gateKey)) {
      this.#sessions.delete(key)
      return undefined
    }
    if (!invalidations.armed || !trust.believes(held.hash)) return undefined
    return { ...kept.found, leftMs: kept.found.leftMs - keptMs }
  }

  /** Asks Redis, and keeps what it has. @returns false as `Copies.read` does */
  read (held: Held, callback: ReadCallback): boolean {
    const { copies, invalidations, clock } = this.#parts
    const era = copies.eraOf(held.gateKey)
    // The bus says nothing of what expires, is evicted, or is changed by a process without copies: not enough for rights.
    if (era === undefined || !invalidations.armed || invalidations.means !== 'broadcast') return copies.read(held, callback)
    // Said of the gate or the copy while the answer is on its way: it is given and not kept.
    const mark = invalidations.mark(held.keys)
    const question = { held, era, asked: momentOf(clock) }
    const asked = copies.read(held, (error, reply) => {
      if (reply?.[0] === 'HIT' && held.keys.every(key => mark.mayKeep(key))) this.#keep(question, reply)
      mark.release()
      callback(error, reply)
    })
    if (!asked) mark.release()
    return asked
  }

  /** This process has changed these keys, or may have, or must not go on believing them: its own word comes before the server's. */
  end (keys: readonly string[]): void {
    const { invalidations } = this.#parts
    if (invalidations.means === 'broadcast') invalidations.changedHere(keys)
  }

  changed (keys: readonly string[]): void {
    for (const key of keys) {
      const some = this.#ofGate.get(key)
      if (some === undefined) this.#sessions.delete(key)
      else for (const each of some) this.#sessions.delete(each)
    }
  }

  all (): void {
    this.#sessions.clear()
  }

  #keep ({ held, era, asked }: Question, reply: Extract<ReadReply, ['HIT', ...unknown[]]>): void {
    const [gateKey, key] = held.keys
    const found = foundInRedis(held.hash, reply)
    this.#sessions.set(key, { found, gateKey, era, asked })
    // One that is larger than all may be is not kept.
    if (!this.#sessions.has(key)) return
    const some = this.#ofGate.get(gateKey)
    if (some === undefined) this.#ofGate.set(gateKey, new Set([key]))
    else some.add(key)
  }

  #leave (gateKey: string, key: string): void {
    const some = this.#ofGate.get(gateKey)
    if (some?.delete(key) === true && some.size === 0) this.#ofGate.delete(gateKey)
  }
}

/** Without a server, and by default, nothing is kept. */
export function openLocal ({ trust, ...parts }: Omit<LocalParts, 'trust'> & { readonly trust: Trust | undefined }, bounds: LocalBounds | boolean): LocalSessions | undefined {
  return trust === undefined || typeof bounds === 'boolean' ? undefined : new LocalSessions({ ...parts, trust }, bounds)
}

/** At most what the text takes: two bytes a character. */
function bytesOf ({ found: { flat } }: LocalSession): number {
  let characters = 0
  for (const text of flat) characters += text.length
  return 2 * characters + overheadBytes
}
