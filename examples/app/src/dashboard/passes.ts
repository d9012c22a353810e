import type { Clock } from '@respite/redis'
import type { FastifyRequest } from 'fastify'
import { createHash, createHmac, timingSafeEqual } from 'node:crypto'

const validMs = 12 * 3_600_000
const form = /^(\d{13})\.([\w-]{43})$/
const path = '/dashboard'

/** What a browser gets for the token: until when it may look, signed with a key made from the token. */
export class Passes {
  readonly #token: string
  readonly #key: Buffer
  readonly #clock: Clock

  constructor (token: string, clock: Clock) {
    this.#token = token
    this.#key = createHmac('sha256', token).update('passes to the dashboard').digest()
    this.#clock = clock
  }

  /** Takes as long for every token. */
  isToken (given: string): boolean {
    return timingSafeEqual(hashOf(given), hashOf(this.#token))
  }

  /** A new pass, good for 12 h in every process that has the same token. */
  issue (): string {
    const until = String(this.#clock.wallMs() + validMs)
    return `${until}.${this.#sign(until)}`
  }

  /** In milliseconds since the epoch; undefined of what is no pass, or no longer one. */
  validUntilMs (pass: string | undefined): number | undefined {
    const [, until, signature] = form.exec(pass ?? '') ?? []
    if (until === undefined || !timingSafeEqual(hashOf(signature!), hashOf(this.#sign(until)))) return undefined
    const untilMs = Number(until)
    return untilMs > this.#clock.wallMs() ? untilMs : undefined
  }

  #sign (until: string): string {
    return createHmac('sha256', this.#key).update(until).digest('base64url')
  }
}

const hashOf = (text: string) => createHash('sha256').update(text).digest()

// A browser takes a `__Secure-` name over https alone: nobody can plant one from plain http. `__Host-` would have to be sent to every path.
const cookieName = (request: FastifyRequest) => request.protocol === 'https' ? '__Secure-dashboard' : 'dashboard'

/** The passes that a request carries: more than one where a neighbouring host has planted another cookie of the name. */
export function passesOf (request: FastifyRequest): string[] {
  const start = `${cookieName(request)}=`
  const parts = request.headers.cookie?.split(';').map(part => part.trim()) ?? []
  return parts.filter(part => part.startsWith(start)).map(part => part.slice(start.length))
}

/** A set-cookie that hands a pass over; an empty one takes it back. */
export function passCookie (request: FastifyRequest, pass: string): string {
  const secure = request.protocol === 'https' ? '; Secure' : ''
  return `${cookieName(request)}=${pass}; Path=${path}; HttpOnly; SameSite=Strict; Max-Age=${pass === '' ? 0 : validMs / 1_000}${secure}`
}
