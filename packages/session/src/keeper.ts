import type { Bus, Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { LRUCache } from 'lru-cache'
import type { Copies, Held } from './copies.ts'
import { copyFields } from './found-session.ts'
import { lifetimeOf } from './lifetime.ts'
import type { Flusher } from './flusher.ts'
import type { LocalSessions } from './local-sessions.ts'
import type { LookUp } from './look-up.ts'
import type { ConflictMode } from './options.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import { type Owner, ownerOfVisitor } from './owner.ts'
import type { SessionEvents } from './session-events.ts'
import type { EndedRow, Fields, LoginResult, PendingRow, RevokeRequest, SaveResult, SessionStore } from './stores/store.ts'
import { newTag, newVisitorTag, type Tokens } from './token.ts'
import type { Trust } from './trust.ts'
import { withinDeadline } from './within-deadline.ts'

/** What the steps work with. */
export interface KeeperParts {
  readonly store: SessionStore
  readonly redis: { readonly copies: Copies, readonly trust: Trust, readonly local: LocalSessions | undefined } | undefined
  /** With `data` other than through. */
  readonly flusher: Flusher | undefined
  /** With `data: 'through'`, for what instances of another mode have left in copies. */
  readonly mixedModeFlusher: Flusher | undefined
  readonly lookUp: LookUp
  readonly tokens: Tokens<Held>
  readonly events: SessionEvents
  readonly bus: Bus
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly options: ResolvedOptions
  readonly newId: () => string
}

/** A session that was just made. */
export interface NewSession { readonly token: string, readonly hash: string, readonly tag: string, readonly sid: string }

/** The topic on which the instances tell each other which sessions have ended. */
export const endedTopic = 'session.ended'

/**
 * The steps that change sessions, in the protocol's order: durable first, Redis second, confirm third; where Redis did
 * not acknowledge, the change resolves once every process has asked the durable store or believes nothing.
 */
export class Keeper {
  readonly #parts: KeeperParts
  // An owner's tag never changes. Bounded.
  readonly #tags = new LRUCache<string, string>({ max: 10_000 })
  readonly #touching = new Set<string>()
  readonly #background = new Set<Promise<unknown>>()

  constructor (parts: KeeperParts) {
    this.#parts = parts
  }

  /**
   * Makes a session; the owner's others end as `perUser` says.
   * @param owner - undefined: a visitor
   * @param how.replaces - a session of the same owner that ends with it
   * @param how.remember - it lives by the option `remember`
   * @throws FST_RSP_SESSION_REMEMBER, FST_RSP_SESSION_LIMIT, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT
   */
  async login (owner: Owner | undefined, fields: Fields, { replaces, remember = false }: { replaces?: string | undefined, remember?: boolean } = {}): Promise<NewSession> {
    const { options, redis, store, tokens, newId, events } = this.#parts
    const { idle, absolute } = lifetimeOf(options, remember)
    const sid = newId()
    const who = owner ?? ownerOfVisitor(sid)
    const tag = owner === undefined ? newVisitorTag() : await this.#tagOf(owner) ?? newTag()
    const lease = redis === undefined || owner === undefined ? undefined : await redis.copies.lease(tag)
    const made = tokens.issue(tag)
    const sentMs = this.#nowMs()
    const { max, onExceed } = options.perUser
    const result = await this.#durable('login', store.login({
      owner: who, tag, hash: made.hash, sid, fields, idleMs: idle, absoluteMs: absolute, remembered: remember, max, onExceed, replaces
    }))
    if (owner !== undefined) this.#tags.set(owner.owner, result.tag)
    // A first login elsewhere has named the owner meanwhile: the token is made again under its name, on the same secret.
    const token = result.tag === tag ? made.token : tokens.sign(result.tag, made.token)
    const ttlMs = result.leftMs - (this.#nowMs() - sentMs)
    const copied = copyFields({ sid, userId: who.userId, capped: result.capped, rememberMs: remember ? idle : undefined, fields })
    const fresh = { hash: made.hash, content: { version: result.version, ttlMs, fields: copied } }
    await this.#activate(result, fresh, result.tag === tag ? lease : undefined)
    events.emit('created', { id: sid, userId: who.userId })
    this.#tellEnded(result.ended, who.userId)
    return { token, hash: made.hash, tag: result.tag, sid }
  }

  /**
   * Ends sessions of an owner: resolves when no request that comes later finds them, in any process.
   * @returns the public ids that this call ended
   * @throws FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT: nothing is known to have ended
   */
  async revoke (request: RevokeRequest, userId?: string): Promise<readonly string[]> {
    const { redis, store } = this.#parts
    const { tag, dead, ended } = await this.#durable('revoke', store.revoke(request))
    for (const { hash } of dead) this.#parts.lookUp.forget(hash)
    if (redis !== undefined && tag !== undefined && dead.length > 0) {
      const all = request.sid === undefined && request.except === undefined
      await this.#kill(tag, dead, all)
    }
    this.#tellEnded(ended, userId)
    return ended
  }

  /** Whose a session is, by its public id. */
  async ownerOfSession (sid: string): Promise<string | undefined> {
    return await this.#durable('revoke', this.#parts.store.ownerOfSession(sid))
  }

  /**
   * Writes what a request has changed: the row first, then Redis.
   * @param delta.conflict - @default the option's
   * @throws FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT, FST_RSP_SESSION_TOO_LARGE
   */
  async save (held: { tag: string, hash: string }, delta: { set: Fields, deleted: readonly string[], loaded: number, conflict?: ConflictMode }): Promise<SaveResult> {
    const { options: { maxDataBytes }, redis, store } = this.#parts
    if (this.#parts.flusher !== undefined) return await this.#parts.flusher.save(held, delta)
    await this.#parts.mixedModeFlusher?.whenFlushed(held.hash)
    const { conflict = this.#parts.options.conflict } = delta
    const result = await this.#durable('save', store.save({ hash: held.hash, tag: held.tag, ...delta, conflict, maxBytes: maxDataBytes }))
    // What the request was given is not so any more.
    if (result.outcome !== 'saved') redis?.local?.end([redis.copies.hold(held).keys[1]])
    if (result.outcome !== 'saved' || redis === undefined) return result
    try {
      // The last save replaces all: its copy is dropped, and filled again by the next request.
      if (conflict === 'last-wins') await redis.copies.kill(held.tag, [{ hash: result.hash, dead: false }])
      else await redis.copies.save(held.tag, result.hash, result.version, delta)
    } catch {
      // Redis did not acknowledge: no process believes its copy until it does.
      await redis.trust.lags({ tag: held.tag, hash: result.hash })
    }
    return result
  }

  /** Prolongs a session in the background; at most one such step a session is under way in this process. */
  touch (held: Held, session: { sid: string, userId: string | undefined, idleMs?: number }): void {
    if (this.#touching.has(held.hash) || this.#parts.redis?.trust.durableDown === true) return
    this.#touching.add(held.hash)
    this.inBackground(this.#touch(held, session).finally(() => this.#touching.delete(held.hash)))
  }

  /** Redis agrees on these rows; told in the background, with a deadline, since `settled` waits for it. */
  confirm (dead: readonly string[], live: readonly PendingRow[]): void {
    this.inBackground(this.#durable('confirm', this.#parts.store.confirm(dead, live)))
  }

  /** Work that nobody waits for: its failure is logged at debug level, and `settled` waits for it. */
  inBackground (work: Promise<unknown>): Promise<unknown> {
    const done: Promise<unknown> = work.catch((error: unknown) => {
      // Nothing rests on it: what it would have done, a later request or poll does.
      this.#parts.log.debug({ err: error }, 'a background step of a session failed')
    }).finally(() => this.#background.delete(done))
    this.#background.add(done)
    return done
  }

  /** Resolves when nothing is under way in the background. */
  async settled (): Promise<void> {
    while (this.#background.size > 0) await Promise.all(this.#background)
  }

  async #activate ({ tag, dead }: LoginResult, fresh: { hash: string, content: Parameters<Copies['activate']>[3] }, lease: Parameters<Copies['activate']>[2]): Promise<void> {
    const { redis, lookUp } = this.#parts
    for (const { hash } of dead) lookUp.forget(hash)
    if (redis === undefined || (lease === undefined && dead.length === 0)) return
    try {
      await redis.copies.activate(tag, [fresh.hash, ...dead.map(row => row.hash)], lease, fresh.content)
    } catch {
      // Not acknowledged: what has ended may be believed where Redis answers, until everyone has asked the durable store.
      if (dead.length > 0) await redis.trust.afterCommit()
      return
    }
    if (dead.length > 0) this.confirm(dead.map(row => row.hash), [])
  }

  async #kill (tag: string, dead: readonly EndedRow[], all: boolean): Promise<void> {
    const { copies, trust } = this.#parts.redis!
    try {
      // Without the gate no copy of the user counts, also one that nobody knows of.
      if (all) await copies.dropGate(tag)
      await copies.kill(tag, dead.map(({ hash }) => ({ hash, dead: true })))
    } catch {
      // Not acknowledged: the rows stay pending, and whoever polls no longer believes their copies.
      await trust.afterCommit()
      return
    }
    this.confirm(dead.map(row => row.hash), [])
  }

  async #touch (held: Held, session: { sid: string, userId: string | undefined, idleMs?: number }): Promise<void> {
    const { redis, flusher, store, options, events } = this.#parts
    const sentMs = this.#nowMs()
    const touched = await this.#durable('touch', store.touch(held.hash, session.idleMs ?? options.idle, held.tag))
    if (touched === undefined) {
      const found = await this.#durable('touch', store.find(held.hash, held.tag))
      // Redis has what the store no longer holds.
      if (!('sid' in found)) await redis?.copies.kill(held.tag, [{ hash: held.hash, dead: true }])
      return
    }
    events.emit('renewed', { id: session.sid, userId: session.userId })
    const ttlMs = touched.leftMs - (this.#nowMs() - sentMs)
    const due = options.rotateEvery > 0 && touched.issuedAgeMs >= options.rotateEvery
    await redis?.copies.touch(held, ttlMs, [...touched.capped ? ['c', '1'] : [], ...due ? ['r', '1'] : []])
    await flusher?.flushNoted(held)
  }

  async #tagOf (owner: Owner | undefined): Promise<string | undefined> {
    if (owner === undefined) return undefined
    return this.#tags.get(owner.owner) ?? await this.#durable('login', this.#parts.store.tagOf(owner.owner))
  }

  #tellEnded (sids: readonly string[], userId: string | undefined): void {
    if (sids.length === 0) return
    for (const id of sids) this.#parts.events.emit('revoked', { id, userId })
    // Public ids alone: for sockets that end with their session. Nothing rests on its arrival.
    this.inBackground(this.#parts.bus.publish(endedTopic, sids))
  }

  #durable<T> (what: string, work: Promise<T>): Promise<T> {
    return withinDeadline(work, this.#parts.options.durableDeadline, what)
  }

  #nowMs (): number {
    return this.#parts.clock.monotonicMs()
  }
}
