import type { Duty } from '@respite/redis'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { FST_RSP_SESSION_NOT_FRESH, FST_RSP_SESSION_REQUIRED } from '../errors.ts'
import type { Keeper } from '../keeper.ts'
import type { LookUp } from '../look-up.ts'
import type { ResolvedOptions } from '../resolved-options.ts'
import type { Credentials } from './credentials.ts'
import type { OriginCheck } from './origin.ts'
import { RequestSession } from './request-session.ts'
import { type RoutePlan, routePlan } from './route-plan.ts'

/** Where a request's session is kept. */
export const held = Symbol('respite.session')

/** A request with its session, if one was looked for. */
export type SessionRequest = FastifyRequest & { [held]?: RequestSession | null }

/** What the duty works with. */
export interface DutyParts {
  readonly credentials: Credentials
  readonly lookUp: LookUp
  readonly keeper: Keeper
  readonly checkOrigin: OriginCheck
  readonly options: ResolvedOptions
}

interface Pending { readonly plan: RoutePlan, readonly session: RequestSession }

/** The session's part in every request: the token is verified and asked for in one tick with the limits, then waited for. */
export function sessionDuty (parts: DutyParts): Duty<RoutePlan, Pending> {
  const { credentials, lookUp, options } = parts
  const challenge = options.transports.includes('bearer')
  return {
    name: '@respite/session',
    phase: 'session',
    configKey: 'session',
    plan: routePlan,
    start (plan, request: SessionRequest) {
      const presented = credentials.of(request)
      if (presented === undefined && !plan.required) return undefined
      const session = request[held] = new RequestSession(options.maxDataBytes)
      if (presented === undefined) session.settle(null, undefined)
      else {
        session.held = presented.held
        session.via = presented.via
        const answer = session.settle.bind(session)
        if (plan.freshMs === undefined) lookUp.find(presented.held, answer as Parameters<LookUp['find']>[1])
        else lookUp.findFresh(presented.held, answer as Parameters<LookUp['find']>[1])
      }
      return { plan, session }
    },
    settle ({ plan, session }, request, reply, done) {
      session.whenSettled(error => {
        const refusal = error ?? verdict(parts, { plan, session, request })
        if (refusal === undefined) done()
        else {
          if (challenge && (refusal as { statusCode?: number }).statusCode === 401) challengeBearer(reply)
          done(refusal)
        }
      })
    }
  }
}

function verdict ({ checkOrigin, keeper, options }: DutyParts, { plan, session, request }: Pending & { request: FastifyRequest }): Error | undefined {
  const { found } = session
  if (found === undefined) return plan.required ? new FST_RSP_SESSION_REQUIRED() : undefined
  const foreign = session.via === 'cookie' ? checkOrigin(request) : undefined
  if (foreign !== undefined) return foreign
  if (plan.required && found.userId === undefined) return new FST_RSP_SESSION_REQUIRED()
  if (plan.freshMs !== undefined && found.authAgeMs! > plan.freshMs) return new FST_RSP_SESSION_NOT_FRESH(plan.freshMs)
  if (!found.untouchable && (found.rememberMs ?? options.idle) - found.leftMs >= options.touchEvery) keeper.touch(session.held!, found)
  return undefined
}

/** @see RFC 9110, section 11.6.1: a 401 names a way to authenticate */
function challengeBearer (reply: FastifyReply): void {
  reply.header('www-authenticate', 'Bearer')
}
