import type { Clock } from '@respite/redis'
import { FST_RSP_SESSION_REVOKE_WHAT } from './errors.ts'
import { RequestSession, type SessionData } from './http/request-session.ts'
import type { Keeper } from './keeper.ts'
import { ownerOfUser } from './owner.ts'
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
  /** Makes a session and its token, without a response. */
  login (userId: string, options?: { data?: Partial<SessionData> & Record<string, unknown>, remember?: boolean }): Promise<{ id: string, token: string }>
  /** A user's active sessions, the latest log-in first. */
  list (userId: string): Promise<readonly SessionInfo[]>
  /**
   * Ends sessions; resolves when they are refused everywhere.
   * @returns the public ids of those that this call ended
   */
  revoke (what: RevokeWhat): Promise<{ ended: readonly string[] }>
  /** Ends all sessions of a user. */
  revokeAll (userId: string): Promise<{ ended: readonly string[] }>
  /** Sessions alive now; counted at most every 10 s. */
  active (): Promise<number>
  /**
   * Tells of `created`, `renewed`, `lost` and `reuse` in the process where it happens, of `revoked` in every process
   * (where the message arrives), of `expired` in the one that cleans up.
   * @returns the way to stop listening
   */
  on (name: SessionEventName, listener: SessionListener): () => void
}

const countEveryMs = 10_000

/** What the sessions of an app are managed with. */
export interface SessionsParts {
  readonly keeper: Keeper
  readonly store: SessionStore
  readonly events: SessionEvents
  readonly clock: Clock
  readonly options: { readonly durableDeadline: number, readonly maxDataBytes: number }
}

export function createSessions ({ keeper, store, events, clock, options }: SessionsParts): Sessions {
  let counted: { atMs: number, count: Promise<number> } | undefined
  const durable = <T>(what: string, work: Promise<T>) => withinDeadline(work, options.durableDeadline, what)
  const sessions: Sessions = {
    async login (userId, { data = {}, remember = false } = {}) {
      const first = new RequestSession(options.maxDataBytes)
      for (const [name, value] of Object.entries(data)) first.set(name, value)
      const { sid, token } = await keeper.login(ownerOfUser(userId), first.takeChanges().set, { remember })
      return { id: sid, token }
    },
    list: async userId => await durable('list', store.list(ownerOfUser(userId).owner)),
    async revoke (what) {
      if (!('id' in what)) {
        if (what?.userId === undefined) throw new FST_RSP_SESSION_REVOKE_WHAT()
        const { userId, except } = what
        return { ended: await keeper.revoke({ owner: ownerOfUser(userId).owner, ...(except !== undefined && { except }) }, userId) }
      }
      const { id, userId } = what
      if (typeof id !== 'string' || ('userId' in what && userId === undefined)) throw new FST_RSP_SESSION_REVOKE_WHAT()
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
    on: (name, listener) => events.on(name, listener)
  }
  return Object.freeze(sessions)
}
