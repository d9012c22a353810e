import type { FastifyReply } from 'fastify'
import { FST_RSP_SESSION_CONFLICT, FST_RSP_SESSION_NO_COOKIE, FST_RSP_SESSION_OFF, FST_RSP_SESSION_REQUIRED, FST_RSP_SESSION_TRANSPORT } from '../errors.ts'
import type { Copies } from '../copies.ts'
import { flatFields } from '../found-session.ts'
import type { Keeper, NewSession } from '../keeper.ts'
import { lifetimeOf } from '../lifetime.ts'
import type { ResolvedOptions } from '../resolved-options.ts'
import { type Owner, ownerOf, ownerOfUser } from '../owner.ts'
import type { Rotator } from '../rotator.ts'
import type { SessionEvents } from '../session-events.ts'
import { checkLoginOptions, type LoginOptions } from './login-options.ts'
import type { OriginCheck } from './origin.ts'
import { RequestSession, type Session } from './request-session.ts'
import type { RouteSession } from './route-plan.ts'
import type { SessionCookie } from './session-cookie.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The request's session; a visitor's is empty. */
    readonly session: Session
  }
  interface FastifyReply {
    /**
     * Logs a user in: with a new id, and ends what `perUser` does not allow beside it.
     * @throws FST_RSP_SESSION_USER_INVALID, FST_RSP_SESSION_LOGIN_OPTION, FST_RSP_SESSION_REMEMBER, FST_RSP_SESSION_TRANSPORT, FST_RSP_SESSION_CROSS_ORIGIN,
     * FST_RSP_SESSION_LIMIT, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT; for `data` and `carry` what `request.session.set` throws
     */
    login (userId: string, options?: LoginOptions): Promise<LoginReply>
    /**
     * Ends the request's session everywhere.
     * @throws FST_RSP_SESSION_OFF on a route with `session: false`; FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT: the cookie is removed all the same
     */
    logout (): Promise<void>
    /**
     * Gives the request's session a new secret at once, as after a change of rights; the old one answers for `grace`. A cookie is set
     * by itself, a bearer's token is in what is returned.
     * @throws FST_RSP_SESSION_REQUIRED without a session, FST_RSP_SESSION_ROTATED, FST_RSP_SESSION_OFF, FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT
     */
    rotate (): Promise<LoginReply>
  }
  interface FastifyContextConfig {
    /** @default 'optional' */
    session?: RouteSession
  }
}

/** What a login gives, and a rotation. */
export interface LoginReply {
  /** The session's public id: of a login a new one. */
  readonly id: string
  /** For a bearer, to be sent in the body; a cookie is set by itself. */
  readonly token?: string
}

/** What the steps of a reply work with. */
export interface ReplyParts {
  readonly keeper: Keeper
  readonly rotator: Rotator
  readonly cookie: SessionCookie
  readonly checkOrigin: OriginCheck
  readonly options: ResolvedOptions
  readonly events: SessionEvents
  readonly hold: Copies['hold']
}

/** The response, and the session of its request. */
interface Target { readonly reply: FastifyReply, readonly session: RequestSession }

/** Logs a user in: the request's session, if any, ends, and a new one with a new id begins. */
export async function login (parts: ReplyParts, { reply, session }: Target, { userId, options }: { userId: string, options: LoginOptions }): Promise<LoginReply> {
  checkLoginOptions(options, ['data', 'carry', 'remember', 'transport'])
  const transport = options.transport ?? parts.options.transports[0]!
  if (!parts.options.transports.includes(transport)) throw new FST_RSP_SESSION_TRANSPORT(String(transport))
  const owner = ownerOfUser(userId)
  const foreign = transport === 'cookie' ? parts.checkOrigin(reply.request) : undefined
  if (foreign !== undefined) throw foreign
  const fields = firstFields(parts, session, options)
  const before = session.found
  const same = before !== undefined && before.userId === userId
  const { remember = false } = options
  const made = await parts.keeper.login(owner, fields, { replaces: same ? before.sid : undefined, remember })
  if (before !== undefined && !same) await endPrevious(parts, before)
  adopt(parts, session, { made, owner, fields, remember })
  if (transport === 'bearer') {
    // A cookie of the session that just ended is of no more use.
    if (session.via === 'cookie') session.cookie = ''
    session.via = 'bearer'
    return inBody(reply, { id: made.sid, token: made.token })
  }
  session.via = 'cookie'
  session.cookie = made.token
  if (remember) session.keptMs = lifetimeOf(parts.options, remember).absolute
  return { id: made.sid }
}

/** Logs out: the request's session ends everywhere, and its cookie goes, also when the store fails. */
export async function logout ({ keeper }: ReplyParts, session: RequestSession): Promise<void> {
  // Nothing was read: it would end nothing, and look as if it had.
  if (session.off) throw new FST_RSP_SESSION_OFF()
  const before = session.found
  if (session.via === 'cookie') session.cookie = ''
  session.become(undefined, undefined)
  if (before !== undefined) await keeper.revoke({ owner: ownerOf(before).owner, sid: before.sid }, before.userId)
}

/** Gives the request's session a new secret, at once. What the request has changed is saved under it. */
export async function rotate ({ rotator, hold }: ReplyParts, { reply, session }: Target): Promise<LoginReply> {
  if (session.off) throw new FST_RSP_SESSION_OFF()
  const { found, held } = session
  if (found === undefined || held === undefined) throw new FST_RSP_SESSION_REQUIRED()
  const { token, hash, keptMs } = await rotator.rotateNow(held, found)
  // The rotation is a version of its own: with another save in between, one that compares is refused.
  session.found = { ...found, hash, version: found.version + 1, rotation: undefined }
  session.held = hold({ tag: held.tag, hash })
  if (session.via === 'bearer') return inBody(reply, { id: found.sid, token })
  session.cookie = token
  session.keptMs = keptMs
  return { id: found.sid }
}

/** @see RFC 6749, section 5.1 */
function inBody (reply: FastifyReply, answer: LoginReply): LoginReply {
  reply.header('cache-control', 'no-store')
  return answer
}

/** Before the response is sent: saves what changed, and sets the cookie. */
export async function finish (parts: ReplyParts, session: RequestSession, reply: FastifyReply): Promise<void> {
  const { keeper, events, cookie } = parts
  if (session.changed) {
    const { found, held } = session
    const all = parts.options.conflict === 'last-wins' ? session.raw() : undefined
    const { set, deleted } = session.takeChanges()
    const delta = { set: all ?? set, deleted }
    if (found === undefined) await makeVisitor(parts, session, delta.set)
    else {
      const { outcome } = await keeper.save({ tag: held!.tag, hash: found.hash }, { ...delta, loaded: found.version })
      if (outcome === 'conflict') throw new FST_RSP_SESSION_CONFLICT()
      if (outcome === 'gone') events.emit('lost', { id: found.sid, userId: found.userId })
    }
  }
  await renew(parts, session)
  if (session.cookie === undefined) return
  reply.header('set-cookie', session.cookie === '' ? cookie.clear() : cookie.write(session.cookie, session.keptMs))
  reply.header('cache-control', 'no-store')
  session.cookie = undefined
}

/** A cookie's secret that is old enough is replaced; of a bearer's nobody could be told. */
async function renew ({ rotator }: ReplyParts, session: RequestSession): Promise<void> {
  const { found, held, via } = session
  if (found?.rotation === undefined || via !== 'cookie' || session.cookie !== undefined) return
  const renewed = await rotator.rotate(held!, found)
  session.cookie = renewed?.token
  session.keptMs = renewed?.keptMs
}

async function makeVisitor (parts: ReplyParts, session: RequestSession, fields: Map<string, string>): Promise<void> {
  if (!parts.options.transports.includes('cookie')) throw new FST_RSP_SESSION_NO_COOKIE()
  const made = await parts.keeper.login(undefined, fields)
  adopt(parts, session, { made, owner: undefined, fields, remember: false })
  session.cookie = made.token
}

interface Adopted { readonly made: NewSession, readonly owner: Owner | undefined, readonly fields: ReadonlyMap<string, string>, readonly remember: boolean }

function adopt ({ hold, options }: ReplyParts, session: RequestSession, { made, owner, fields, remember }: Adopted): void {
  const { hash, tag, sid } = made
  const { idle, absolute } = lifetimeOf(options, remember)
  const leftMs = Math.min(idle, absolute)
  const rememberMs = remember ? idle : undefined
  const found = { hash, sid, userId: owner?.userId, version: 1, leftMs, untouchable: true, rememberMs, authAgeMs: 0, rotation: undefined, flat: flatFields(fields) }
  session.become(found, hold({ tag, hash }))
}

/** The checks of `set` apply to them. */
function firstFields ({ options: { maxDataBytes } }: ReplyParts, session: RequestSession, { data = {}, carry = [] }: LoginOptions): Map<string, string> {
  const first = new RequestSession(maxDataBytes)
  for (const name of carry) {
    const value = session.get(name)
    if (value !== undefined) first.set(name, value)
  }
  for (const [name, value] of Object.entries(data)) first.set(name, value)
  return first.takeChanges().set
}

async function endPrevious ({ keeper }: ReplyParts, before: { sid: string, userId: string | undefined }): Promise<void> {
  const ending = keeper.revoke({ owner: ownerOf(before).owner, sid: before.sid }, before.userId)
  // A visitor's session gives no rights: nobody waits for its end.
  if (before.userId === undefined) keeper.inBackground(ending)
  else await ending
}
