import type { Clock } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { FST_RSP_SESSION_REVOKE_WHAT } from './errors.ts'
import { closeWithSession, type FollowOptions, followSession } from './http/following.ts'
import { checkLoginOptions } from './http/login-options.ts'
import { RequestSession, type SessionData } from './http/request-session.ts'
import type { SessionConnection } from './http/session-connection.ts'
import type { Keeper } from './keeper.ts'
import { ownerOfUser } from './owner.ts'
import type { SessionEndListener, SessionEnds } from './session-ends.ts'
import type { SessionEventName, SessionEvents, SessionListener } from './session-events.ts'
import type { SessionInfo, SessionStore } from './stores/store.ts'
import { withinDeadline } from './within-deadline.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Sessions outside of a request. */
    sessions: Sessions
  }
}

/** Which sessions `revoke` ends. With an id alone it is for admin code: a user's request gives its user id too. */
export type RevokeWhat = { id: string, userId?: string } | { userId: string, except?: string }

/** `fastify.sessions`: sessions outside of a request. */
export interface Sessions {
  /**
   * Makes a session and its token, without a response.
   * @param options.data - @default no fields
   * @param options.remember - it lives by the option `remember`. @default false
   * @throws FST_RSP_SESSION_USER_INVALID, FST_RSP_SESSION_LOGIN_OPTION, FST_RSP_SESSION_REMEMBER, FST_RSP_SESSION_LIMIT, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT
   */
  login (userId: string, options?: { data?: Partial<SessionData> & Record<string, unknown>, remember?: boolean }): Promise<{ id: string, token: string }>
  /** A user's active sessions, the latest log-in first. @throws FST_RSP_SESSION_USER_INVALID, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT */
  list (userId: string): Promise<readonly SessionInfo[]>
  /**
   * Ends sessions; resolves when they are refused everywhere.
   * @returns the public ids of those that this call ended
   * @throws FST_RSP_SESSION_REVOKE_WHAT, FST_RSP_SESSION_USER_INVALID: nothing has ended; FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT: nothing is known to have ended
   */
  revoke (what: RevokeWhat): Promise<{ ended: readonly string[] }>
  /** Ends all sessions of a user. @throws as `revoke` */
  revokeAll (userId: string): Promise<{ ended: readonly string[] }>
  /** Sessions alive now; counted at most every 10 s. Undefined with `durable: 'none'`: nobody counts them there. */
  active (): Promise<number | undefined>
  /**
   * Tells of `created`, `renewed`, `rotated`, `lost` and `reuse` in the process where it happens, of `revoked` in every process
   * (where the message arrives), of `expired` in the one that cleans up.
   * @returns the way to stop listening
   * @throws FST_RSP_SESSION_EVENT_UNKNOWN
   */
  on (name: SessionEventName, listener: SessionListener): () => void
  /**
   * Closes a WebSocket or stream when the session of its request ends, in any process and for any reason; a visitor without
   * a session has none that could end. Rotation is no end.
   * @returns the way to let the connection go; it is let go when it closes
   * @throws FST_RSP_SESSION_CONNECTION, FST_RSP_SESSION_NOT_READ, FST_RSP_SESSION_FOLLOWED_MAX
   */
  closeWith (request: FastifyRequest, connection: SessionConnection, options?: FollowOptions): () => void
  /**
   * Tells once when the session of a request has ended.
   * @returns the way to stop listening, which must be called when what listens is over
   * @throws FST_RSP_SESSION_NOT_READ, FST_RSP_SESSION_FOLLOWED_MAX
   */
  onEnd (request: FastifyRequest, listener: SessionEndListener, options?: FollowOptions): () => void
}

const countEveryMs = 10_000

/** What the sessions of an app are managed with. */
export interface SessionsParts {
  readonly keeper: Keeper
  readonly store: SessionStore
  readonly events: SessionEvents
  readonly ends: SessionEnds
  readonly clock: Clock
  readonly options: { readonly durableDeadline: number, readonly maxDataBytes: number }
}

/** The object behind `fastify.sessions`. */
export function createSessions ({ keeper, store, events, ends, clock, options }: SessionsParts): Sessions {
  let counted: { atMs: number, count: Promise<number | undefined> } | undefined
  const durable = <T>(what: string, work: Promise<T>) => withinDeadline(work, options.durableDeadline, what)
  const sessions: Sessions = {
    async login (userId, given = {}) {
      checkLoginOptions(given, ['data', 'remember'])
      const { data = {}, remember = false } = given
      const first = new RequestSession(options.maxDataBytes)
      for (const [name, value] of Object.entries(data)) first.set(name, value)
      const { sid, token } = await keeper.login(ownerOfUser(userId), first.takeChanges().set, { remember })
      return { id: sid, token }
    },
    list: async userId => await durable('list', store.list(ownerOfUser(userId).owner)),
    async revoke (what) {
      checkRevoke(what)
      if (!('id' in what)) {
        const { userId, except } = what
        return { ended: await keeper.revoke({ owner: ownerOfUser(userId).owner, ...(except !== undefined && { except }) }, userId) }
      }
      const { id, userId } = what
      const owner = userId === undefined ? await keeper.ownerOfSession(id) : ownerOfUser(userId).owner
      return { ended: owner === undefined ? [] : await keeper.revoke({ owner, sid: id }, userId) }
    },
    revokeAll: async userId => ({ ended: await keeper.revoke({ owner: ownerOfUser(userId).owner }, userId) }),
    active () {
      const nowMs = clock.monotonicMs()
      if (counted === undefined || nowMs - counted.atMs >= countEveryMs) {
        counted = { atMs: nowMs, count: durable('count', store.count()) }
        // A failed count is not kept.
        counted.count.catch(() => { counted = undefined })
      }
      return counted.count
    },
    on: (name, listener) => events.on(name, listener),
    closeWith: (request, connection, { prolong = false } = {}) => closeWithSession(ends, request, { connection, prolong }),
    onEnd: (request, listener, { prolong = false } = {}) => followSession(ends, request, { listener, prolong })
  }
  return Object.freeze(sessions)
}

/** A name that is misspelt, or a value that is missing, must not end more than was meant. Ids are not shown. */
function checkRevoke (what: RevokeWhat): void {
  const given = Object.entries(what ?? {})
  const names = given.map(([name]) => name).sort().join()
  const isGiven = ([name, value]: [string, unknown]) => name === 'userId' ? value !== undefined : typeof value === 'string' && value !== ''
  if (/^(id|id,userId|userId|except,userId)$/.test(names) && given.every(isGiven)) return
  throw new FST_RSP_SESSION_REVOKE_WHAT(`{ ${given.map(([name, value]) => `${name}: ${value === '' ? "''" : typeof value}`).join(', ')} }`)
}
