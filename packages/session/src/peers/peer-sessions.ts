import { randomSecret } from '@respite/redis'
import { LRUCache } from 'lru-cache'
import { FST_RSP_SESSION_LIMIT, FST_RSP_SESSION_TOO_LARGE } from '../errors.ts'
import { fieldOf, type FoundSession } from '../found-session.ts'
import type { SessionServices } from '../session-services.ts'
import { bytesOf } from '../stores/merge.ts'
import type { Fields, PeerRow } from '../stores/store.ts'
import { withinDeadline } from '../within-deadline.ts'
import { type ChosenId, ChosenIds, tombstoneSidOf } from './chosen-ids.ts'

/** A session to be written. */
export interface Written { readonly fields: Fields, readonly idleMs: number }

// Sessions of one statement of `clear`, and how many of them end at once.
const batchSize = 100
const concurrency = 8
/** Ends of the row and of the cookie that are this close are the same. */
const slackMs = 1_000

/**
 * Sessions under ids that another library chooses. A row, and so an id, is made once: what has ended is not made again
 * by a save that comes late, whichever process it comes in.
 */
export class PeerSessions {
  readonly #services: SessionServices
  readonly #ids: ChosenIds
  // Hashes that this process has read or made: they are saved, and never made. Bounded.
  readonly #seen = new LRUCache<string, true>({ max: 10_000 })

  constructor (services: SessionServices) {
    this.#services = services
    this.#ids = new ChosenIds(services.secrets, credential => services.copies.hold(credential))
  }

  async find (id: string): Promise<FoundSession | undefined> {
    for (const chosen of this.#ids.of(id)) {
      const found = await this.#find(chosen)
      if (found !== undefined) return found
    }
    return undefined
  }

  /** Makes the session, or saves it; of one that has ended the event `lost` tells. */
  async save (id: string, written: Written): Promise<void> {
    const all = this.#ids.of(id)
    let known = all.find(chosen => this.#seen.has(chosen.held.hash))
    if (known === undefined) {
      const [first, ...older] = all
      for (const chosen of older) if (await this.#update(chosen, written)) return
      if (await this.#make(first, written)) return
      known = first
    }
    if (!await this.#update(known, written)) this.#lost(known)
  }

  /** Prolongs the session, if it is time to. */
  async touch (id: string, idleMs: number): Promise<void> {
    for (const chosen of this.#ids.of(id)) {
      const found = await this.#find(chosen)
      if (found === undefined) continue
      await this.#prolong(chosen, found, idleMs)
      return
    }
  }

  /** Ends an id for good, also one that was never made. */
  async end (id: string): Promise<void> {
    await Promise.all(this.#ids.of(id).map(({ sid, owner, held }) => this.#end({ sid, owner: owner.owner, tag: held.tag })))
  }

  /** Ends all sessions of other libraries that are alive when it is called. */
  async clear (): Promise<void> {
    for (let left = await this.count(); left > 0; left -= batchSize) {
      const rows = await this.list(batchSize)
      for (let i = 0; i < rows.length; i += concurrency) await Promise.all(rows.slice(i, i + concurrency).map(row => this.#end(row)))
    }
  }

  count (): Promise<number> {
    return this.#durable('count', this.#services.store.countPeers())
  }

  list (limit: number): Promise<readonly PeerRow[]> {
    return this.#durable('list', this.#services.store.peers(limit))
  }

  async #find ({ held }: ChosenId): Promise<FoundSession | undefined> {
    const found = await new Promise<FoundSession | undefined>((resolve, reject) => {
      this.#services.lookUp.find(held, (error, found) => error === null ? resolve(found) : reject(error))
    })
    if (found !== undefined) this.#seen.set(held.hash, true)
    return found
  }

  /** @returns false if the id has been made before */
  async #make ({ sid, owner, held }: ChosenId, { fields, idleMs }: Written): Promise<boolean> {
    const { store, events, options } = this.#services
    const bytes = bytesOf(fields)
    if (bytes > options.maxDataBytes) throw new FST_RSP_SESSION_TOO_LARGE([...fields.keys()].join(', '), bytes, options.maxDataBytes)
    try {
      await this.#durable('login', store.login({
        owner, tag: held.tag, hash: held.hash, sid, fields, idleMs, absoluteMs: options.absolute, max: 1, onExceed: 'reject', replaces: undefined, countEnded: true
      }))
    } catch (error) {
      if (error instanceof FST_RSP_SESSION_LIMIT) return false
      throw error
    }
    this.#seen.set(held.hash, true)
    events.emit('created', { id: sid, userId: undefined })
    return true
  }

  /** @returns false if it is not alive */
  async #update (chosen: ChosenId, { fields, idleMs }: Written): Promise<boolean> {
    const found = await this.#find(chosen)
    if (found === undefined) return false
    if (!isSame(found, fields)) {
      // The library gives the whole session, so the last save has it.
      const delta = { set: fields, deleted: [], loaded: found.version, conflict: 'merge' } as const
      const { outcome } = await this.#services.keeper.save({ tag: chosen.held.tag, hash: found.hash }, delta)
      if (outcome === 'gone') return false
    }
    await this.#prolong(chosen, found, idleMs)
    return true
  }

  async #prolong ({ held, sid }: ChosenId, found: FoundSession, idleMs: number): Promise<void> {
    const { keeper, options: { touchEvery } } = this.#services
    if (found.leftMs > idleMs + slackMs) await this.#shorten(held, idleMs)
    // Short sessions are prolonged more often, or they would end while they are used.
    else if (!found.untouchable && idleMs - found.leftMs >= Math.min(touchEvery, idleMs / 10)) keeper.touch(held, { sid, userId: undefined, idleMs })
  }

  /** A touch of a copy only prolongs it: it is dropped, and filled anew from its row. */
  async #shorten ({ tag, hash }: ChosenId['held'], idleMs: number): Promise<void> {
    const { store, copies, trust, flusher } = this.#services
    await this.#durable('touch', store.touch(hash, idleMs))
    if (trust === undefined) return
    try {
      if (flusher === undefined) await copies.kill(tag, [{ hash, dead: false }])
      else await flusher.drop({ tag, hash })
    } catch {
      // Redis did not acknowledge: no process believes its copy until it does.
      await trust.lags({ tag, hash })
    }
  }

  /** First a row that keeps the id from being made again, as long as a session may live; then the end of what is there. */
  async #end ({ sid, owner, tag }: { sid: string, owner: string, tag: string }): Promise<void> {
    const { store, keeper, options: { absolute } } = this.#services
    const tombstone = tombstoneSidOf(sid)
    await this.#durable('revoke', store.login({
      owner: { owner, userId: undefined },
      tag,
      hash: randomSecret(32).toString('base64url'),
      sid: tombstone,
      fields: new Map(),
      idleMs: absolute,
      absoluteMs: absolute,
      max: Number.MAX_SAFE_INTEGER,
      onExceed: 'evict-oldest',
      replaces: undefined
    }))
    await keeper.revoke({ owner, except: tombstone })
  }

  #lost ({ sid }: ChosenId): void {
    const { events, log } = this.#services
    events.emit('lost', { id: sid, userId: undefined })
    log.info({ session: sid }, 'a session was saved after its end: it stays ended')
  }

  #durable<T> (what: string, work: Promise<T>): Promise<T> {
    return withinDeadline(work, this.#services.options.durableDeadline, what)
  }
}

function isSame (found: FoundSession, fields: Fields): boolean {
  for (const [name, json] of fields) if (fieldOf(found, name) !== json) return false
  return true
}
