import type { Chance, Clock } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import { FST_RSP_SESSION_FOLLOWED_MAX } from './errors.ts'
import type { LivingRow } from './stores/store.ts'

/**
 * Why a session is over for who follows it: it was ended (a log-out, a revoke, another log-in), it ran out, the durable
 * store could not be asked for `durableDown`, or the app closes.
 */
export type SessionEndReason = 'ended' | 'expired' | 'unknown' | 'closing'

/** Told once. */
export type SessionEndListener = (why: SessionEndReason) => void | Promise<void>

/** Who wants to know, and whether that counts as use of the session. */
export interface Follower { readonly listener: SessionEndListener, readonly prolong: boolean }

/** What is followed: the public id, the same through rotations. */
export interface FollowedSession { readonly sid: string, readonly userId: string | undefined, readonly leftMs: number }

/** What the follower works with. */
export interface SessionEndsParts {
  /** Asks the durable store, within its deadline. */
  readonly living: (sids: readonly string[]) => Promise<ReadonlyMap<string, LivingRow>>
  /** Whether other processes' messages reach this one at the moment. */
  readonly hears: () => boolean
  /** The session is in use: its idle end is to be prolonged if that is due. */
  readonly prolong: (session: FollowedSession, row: LivingRow) => void
  readonly inBackground: (work: Promise<unknown>) => void
  readonly clock: Clock
  readonly chance: Chance
  readonly log: FastifyBaseLogger
  readonly times: { readonly recheckMs: number, readonly deafRecheckMs: number, readonly durableDownMs: number }
}

interface Followed {
  readonly session: FollowedSession
  readonly followers: Set<Follower>
  /** By the last answer, on this process' own clock. */
  endMs: number
  /** No use prolongs it. */
  capped: boolean
  /** Since when the durable store does not answer. */
  failingSinceMs: number | undefined
  timer: NodeJS.Timeout | undefined
}

/** Followers in a process. */
const maxFollowers = 100_000
/** Sessions in one question; there is one question at a time. */
const maxBatch = 256
// No session is asked for more often, however near its end.
const minRecheckMs = 50

/**
 * Tells of the end of sessions that somebody follows, for what outlives a request. The message of an end is the fast way, and nothing
 * rests on it: each session is asked of the durable store when it is first followed, when its end is due, after messages
 * may have been missed, and every `recheckMs` in any case.
 */
export class SessionEnds {
  readonly #parts: SessionEndsParts
  readonly #followed = new Map<string, Followed>()
  readonly #due = new Set<Followed>()
  #followers = 0
  #asking = false
  #closed = false

  constructor (parts: SessionEndsParts) {
    this.#parts = parts
  }

  /** Followers now. */
  get followers (): number {
    return this.#followers
  }

  /**
   * @returns the way to stop following
   * @throws FST_RSP_SESSION_FOLLOWED_MAX
   */
  follow (session: FollowedSession, follower: Follower): () => void {
    if (this.#closed) {
      this.#tell(follower, 'closing')
      return () => undefined
    }
    if (this.#followers >= maxFollowers) throw new FST_RSP_SESSION_FOLLOWED_MAX(maxFollowers)
    const followed = this.#followed.get(session.sid) ?? this.#begin(session)
    followed.followers.add(follower)
    this.#followers++
    return () => {
      if (!followed.followers.delete(follower)) return
      this.#followers--
      if (followed.followers.size === 0) this.#drop(followed)
    }
  }

  /** Somebody says that it has ended. */
  ended (sid: string): void {
    const followed = this.#followed.get(sid)
    if (followed !== undefined) this.#end(followed, 'ended')
  }

  /** Messages may have been missed: all are asked for. */
  recheck (): void {
    for (const followed of this.#followed.values()) this.#askSoon(followed)
  }

  /** The app closes: nothing is followed from here on. */
  close (): void {
    this.#closed = true
    for (const followed of [...this.#followed.values()]) this.#end(followed, 'closing')
  }

  #begin (session: FollowedSession): Followed {
    const endMs = this.#nowMs() + session.leftMs
    const followed: Followed = { session, followers: new Set(), endMs, capped: false, failingSinceMs: undefined, timer: undefined }
    this.#followed.set(session.sid, followed)
    // What has ended it since the request found it was told to nobody here.
    this.#askSoon(followed)
    return followed
  }

  #askSoon (followed: Followed): void {
    this.#due.add(followed)
    if (this.#asking) return
    this.#asking = true
    // One question for all that are due in this turn.
    setImmediate(() => this.#parts.inBackground(this.#askAll()))
  }

  async #askAll (): Promise<void> {
    try {
      while (this.#due.size > 0) await this.#ask([...this.#due].slice(0, maxBatch))
    } finally {
      this.#asking = false
    }
  }

  async #ask (some: readonly Followed[]): Promise<void> {
    for (const followed of some) this.#due.delete(followed)
    const sentMs = this.#nowMs()
    let living: ReadonlyMap<string, LivingRow> | undefined
    try {
      living = await this.#parts.living(some.map(({ session }) => session.sid))
    } catch (error) {
      this.#parts.log.debug({ err: error, sessions: some.length }, 'it is not known whether followed sessions still live')
    }
    for (const followed of some) {
      // Ended or left meanwhile.
      if (this.#followed.get(followed.session.sid) !== followed) continue
      const row = living?.get(followed.session.sid)
      if (living === undefined) this.#unanswered(followed, sentMs)
      else if (row === undefined) this.#end(followed, this.#nowMs() >= followed.endMs ? 'expired' : 'ended')
      else this.#goesOn(followed, row, sentMs)
    }
  }

  #goesOn (followed: Followed, row: LivingRow, sentMs: number): void {
    followed.endMs = sentMs + row.leftMs
    followed.capped = row.capped
    followed.failingSinceMs = undefined
    const prolongs = !row.capped && [...followed.followers].some(({ prolong }) => prolong)
    if (prolongs) this.#parts.prolong(followed.session, row)
    const untilEndMs = followed.endMs - this.#nowMs()
    this.#wait(followed, Math.min(this.#everyMs(), prolongs ? untilEndMs / 2 : untilEndMs))
  }

  #unanswered (followed: Followed, sentMs: number): void {
    const { durableDownMs, deafRecheckMs } = this.#parts.times
    followed.failingSinceMs ??= sentMs
    if (this.#nowMs() - followed.failingSinceMs >= durableDownMs) this.#end(followed, 'unknown')
    else this.#wait(followed, deafRecheckMs)
  }

  #wait (followed: Followed, ms: number): void {
    clearTimeout(followed.timer)
    followed.timer = setTimeout(() => {
      if (followed.capped && this.#nowMs() >= followed.endMs) this.#end(followed, 'expired')
      else this.#askSoon(followed)
    }, Math.max(minRecheckMs, Math.ceil(ms))).unref()
  }

  #everyMs (): number {
    const { hears, chance, times } = this.#parts
    // Jitter, so that connections opened at once are not asked for at once for ever; below one, so that it stays a bound.
    return (hears() ? times.recheckMs : times.deafRecheckMs) * (0.8 + 0.2 * chance())
  }

  #end (followed: Followed, why: SessionEndReason): void {
    this.#drop(followed)
    this.#followers -= followed.followers.size
    const followers = [...followed.followers]
    followed.followers.clear()
    for (const follower of followers) this.#tell(follower, why)
  }

  #drop (followed: Followed): void {
    clearTimeout(followed.timer)
    this.#due.delete(followed)
    this.#followed.delete(followed.session.sid)
  }

  #tell ({ listener }: Follower, why: SessionEndReason): void {
    // A listener's fault is not the session's: the others are told all the same.
    const failed = (error: unknown) => { this.#parts.log.error({ err: error }, 'a listener to the end of a session failed') }
    try {
      Promise.resolve(listener(why)).catch(failed)
    } catch (error) {
      failed(error)
    }
  }

  #nowMs (): number {
    return this.#parts.clock.monotonicMs()
  }
}
