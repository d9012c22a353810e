import type { Identity } from '@respite/redis'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { Credentials } from './http/credentials.ts'
import type { LoginOptions } from './http/login-options.ts'
import { originCheck } from './http/origin.ts'
import { RequestSession } from './http/request-session.ts'
import { checkRoute } from './http/route-plan.ts'
import { SessionCookie } from './http/session-cookie.ts'
import { held, sessionDuty, type SessionRequest } from './http/session-duty.ts'
import { finish, login, logout, type ReplyParts, rotate } from './http/session-reply.ts'
import { openServices } from './open-services.ts'
import type { SessionOptions } from './options.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import { isVisitorTag } from './token.ts'

/**
 * Sessions for Fastify: `request.session`, `reply.login`, `reply.logout`, `fastify.sessions`, route `config.session`.
 * @throws FST_RSP_OPTION_INVALID, FST_RSP_SESSION_OPTIONS, FST_RSP_SESSION_DURABLE_MISSING, FST_RSP_SESSION_SECRETS_MISSING
 */
async function sessionPlugin (fastify: FastifyInstance, given: SessionOptions): Promise<void> {
  const { respite } = fastify
  const services = openServices(fastify, given)
  const { options, events, keeper, rotator, lookUp, copies } = services
  const cookie = new SessionCookie(options.cookie, options.absolute)
  const checkOrigin = originCheck(options.csrf)
  const credentials = new Credentials(services.tokens, cookie, { transports: options.transports, events })

  decorate(fastify, { options, parts: { keeper, rotator, cookie, checkOrigin, options, events, hold: credential => copies.hold(credential) } })
  fastify.addHook('onRoute', checkRoute)
  respite.requests.add(sessionDuty({ credentials, lookUp, keeper, checkOrigin, options }))
  respite.provide('identity', identityOf(credentials))
}

function decorate (fastify: FastifyInstance, { options, parts }: { options: ResolvedOptions, parts: ReplyParts }): void {
  const sessionOf = (request: SessionRequest): RequestSession => {
    request[held] ??= new RequestSession(options.maxDataBytes, request.routeOptions.config?.session === false)
    return request[held]
  }
  fastify.decorateRequest(held as unknown as string, null)
  fastify.decorateRequest('session', { getter (this: FastifyRequest) { return sessionOf(this) } })
  fastify.decorateReply('login', function (this: FastifyReply, userId: string, login_: LoginOptions = {}) {
    return login(parts, { reply: this, session: sessionOf(this.request) }, { userId, options: login_ })
  })
  fastify.decorateReply('logout', function (this: FastifyReply) { return logout(parts, sessionOf(this.request)) })
  fastify.decorateReply('rotate', function (this: FastifyReply) { return rotate(parts, { reply: this, session: sessionOf(this.request) }) })
  fastify.addHook('onSend', (request: SessionRequest, reply, _payload, done) => {
    const session = request[held]
    if (!session || (!session.changed && session.cookie === undefined && session.found?.rotation === undefined)) done()
    else finish(parts, session, reply).then(() => done(), done)
  })
}

function identityOf (credentials: Credentials): Identity {
  return {
    userId: (request: SessionRequest) => request[held]?.found?.userId,
    // Each cookie of a visitor would be somebody new.
    subject (request: SessionRequest) {
      const tag = (request[held]?.held ?? credentials.of(request)?.held)?.tag
      return tag === undefined || isVisitorTag(tag) ? undefined : tag
    }
  }
}

export const session = fp(sessionPlugin, { fastify: '5.x', name: '@respite/session', decorators: { fastify: ['respite'] } })
export default session
