import type { FastifyRequest } from 'fastify'
import type { Held } from '../copies.ts'
import type { Transport } from '../options.ts'
import type { SessionEvents } from '../session-events.ts'
import { type Tokens, tokenLength } from '../token.ts'
import type { SessionCookie } from './session-cookie.ts'

/** A verified token, and how it came. */
export interface Presented { readonly held: Held, readonly via: Transport }

/**
 * Finds the token of a request. An Authorization header that carries something of a token's length decides, also when it
 * is wrong: the request is then nobody's. Only without one is the cookie looked at.
 */
export class Credentials {
  readonly #tokens: Tokens<Held>
  readonly #cookie: SessionCookie | undefined
  readonly #bearer: boolean
  readonly #events: SessionEvents

  /** @param transports - those a token may come by */
  constructor (tokens: Tokens<Held>, cookie: SessionCookie, { transports, events }: { transports: readonly Transport[], events: SessionEvents }) {
    this.#tokens = tokens
    this.#cookie = transports.includes('cookie') ? cookie : undefined
    this.#bearer = transports.includes('bearer')
    this.#events = events
  }

  of (request: FastifyRequest): Presented | undefined {
    const { authorization, cookie } = request.headers
    if (this.#bearer && authorization !== undefined && /^bearer /i.test(authorization)) {
      const token = authorization.slice(7).trim()
      // Other kinds of bearer tokens, such as an API key, are not our business.
      if (token.length === tokenLength) return this.#verified(token, 'bearer')
    }
    const value = this.#cookie?.find(cookie)
    return value === undefined || value === '' ? undefined : this.#verified(value, 'cookie')
  }

  #verified (token: string, via: Transport): Presented | undefined {
    const held = this.#tokens.verify(token)
    if (held !== undefined) return { held, via }
    this.#events.forged.inc()
    return undefined
  }
}
