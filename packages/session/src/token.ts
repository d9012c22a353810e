import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { randomSecret } from '@respite/redis'
import { LRUCache } from 'lru-cache'

/** What a token proves before anything is asked: its signature is ours. Whether its session lives is another question. */
export interface Credential {
  /** The user's public random tag; names all Redis keys of the user. */
  readonly tag: string
  /** base64url SHA-256 of the secret: all that is stored of it. */
  readonly hash: string
}

const tagLength = 22
const secretLength = 43
const signedLength = tagLength + 1 + secretLength
/** Characters of a token: `tag.secret.mac`. */
export const tokenLength = signedLength + 1 + 43
const form = /^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/

/** Makes and verifies tokens. */
export class Tokens<Held extends Credential = Credential> {
  readonly #keys: readonly Buffer[]
  readonly #hold: (credential: Credential) => Held
  // Verified tokens of late: a repeated one costs neither an HMAC nor a SHA-256. Bounded.
  readonly #verified: LRUCache<string, Held>

  /**
   * @param secrets - the first signs, all verify
   * @param hold - what to remember of a verified token beside its parts
   */
  constructor (secrets: readonly string[], hold: (credential: Credential) => Held, remembered = 10_000) {
    // A key of our own from each secret, so that nothing else signed with it passes as a token.
    this.#keys = secrets.map(secret => createHmac('sha256', secret).update('respite session v1').digest())
    this.#hold = hold
    this.#verified = new LRUCache({ max: remembered })
  }

  /** A new token of 256 random bits. */
  issue (tag: string): { token: string, hash: string } {
    const secret = randomSecret(32).toString('base64url')
    return { token: this.#signed(`${tag}.${secret}`), hash: hashOf(secret) }
  }

  /** The token with the same secret under another tag. */
  sign (tag: string, token: string): string {
    return this.#signed(`${tag}.${token.slice(tagLength + 1, signedLength)}`)
  }

  /** The credential of a token, or undefined if we did not issue it; costs no I/O. */
  verify (token: string): Held | undefined {
    if (token.length !== tokenLength) return undefined
    const known = this.#verified.get(token)
    if (known !== undefined) return known
    if (!form.test(token)) return undefined
    const signed = token.slice(0, signedLength)
    const mac = Buffer.from(token.slice(signedLength + 1))
    if (!this.#keys.some(key => timingSafeEqual(Buffer.from(this.#mac(key, signed)), mac))) return undefined
    const held = this.#hold({ tag: token.slice(0, tagLength), hash: hashOf(token.slice(tagLength + 1, signedLength)) })
    this.#verified.set(token, held)
    return held
  }

  #signed (text: string): string {
    return `${text}.${this.#mac(this.#keys[0]!, text)}`
  }

  #mac (key: Buffer, signed: string): string {
    return createHmac('sha256', key).update(signed).digest('base64url')
  }
}

/** The form in which a secret is stored: one that leaks opens nothing. */
export function hashOf (secret: string): string {
  return hash('sha256', secret, 'base64url')
}

/** What visitors' tags begin with, and users' do not: so a token tells the one from the other before anything is asked. */
export const visitorPrefix = '_'

/** The tag of a user: 122 random bits and more. */
export function newTag (): string {
  const tag = randomSecret(16).toString('base64url')
  return tag.startsWith(visitorPrefix) ? `-${tag.slice(1)}` : tag
}

/** The tag of a visitor's session. */
export function newVisitorTag (): string {
  return visitorTagOf(randomSecret(16))
}

/** The same of 16 bytes that are random to everybody else. */
export function visitorTagOf (bytes: Buffer): string {
  return visitorPrefix + bytes.toString('base64url').slice(1)
}

export function isVisitorTag (tag: string): boolean {
  return tag.startsWith(visitorPrefix)
}
