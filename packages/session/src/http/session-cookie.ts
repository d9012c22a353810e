import { serialize } from 'cookie'
import type { CookieOptions } from '../resolved-options.ts'

/** The session cookie: found in a request's header, written for a response. */
export class SessionCookie {
  readonly #options: CookieOptions
  readonly #maxAgeSeconds: number
  readonly #start: string

  /** @param absoluteMs - how long a persistent cookie is kept */
  constructor (options: CookieOptions, absoluteMs: number) {
    this.#options = options
    this.#maxAgeSeconds = Math.floor(absoluteMs / 1_000)
    this.#start = `${options.name}=`
  }

  /**
   * The cookie's value. Two of the name with different values: neither can be told to be ours, a neighbour of the domain
   * may have planted one; so there is none.
   */
  find (header: string | undefined): string | undefined {
    if (header === undefined) return undefined
    let found: string | undefined
    for (let at = header.indexOf(this.#start); at !== -1; at = header.indexOf(this.#start, at + this.#start.length)) {
      if (!beginsPair(header, at)) continue
      const end = header.indexOf(';', at)
      const value = header.slice(at + this.#start.length, end === -1 ? undefined : end).trim()
      if (found !== undefined && found !== value) return undefined
      found = value
    }
    return found
  }

  /**
   * The Set-Cookie header for a token.
   * @param keptMs - how long the browser keeps it. @default as the options say
   */
  write (token: string, keptMs?: number): string {
    if (keptMs !== undefined) return this.#serialise(token, Math.floor(keptMs / 1_000))
    return this.#serialise(token, this.#options.persistent ? this.#maxAgeSeconds : undefined)
  }

  /** The Set-Cookie header that removes it. */
  clear (): string {
    return this.#serialise('', 0)
  }

  #serialise (value: string, maxAge: number | undefined): string {
    const { name, path, domain, secure, sameSite } = this.#options
    return serialize(name, value, { path, httpOnly: true, secure, sameSite, ...(domain && { domain }), ...(maxAge !== undefined && { maxAge }) })
  }
}

function beginsPair (header: string, at: number): boolean {
  let before = at - 1
  while (before >= 0 && (header[before] === ' ' || header[before] === '\t')) before--
  return before < 0 || header[before] === ';'
}
