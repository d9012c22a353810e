import { createCipheriv, createHmac, createSecretKey, hkdfSync, type KeyObject, timingSafeEqual } from 'node:crypto'

/** Bytes of a keyed id. */
export const keyedBytes = 8

/** How an id rests in a store. */
export interface Identity {
  /**
   * What reaches HyperLogLog: 8 bytes of HMAC-SHA-256 of the id. HyperLogLog hashes to 64 bits anyway, so more would
   * make nothing more distinct; without the key nobody can choose ids that move a count.
   */
  readonly keyed: Buffer
  /** What reaches the top list, and can be shown again by those who have the key. */
  readonly member: Buffer
}

/** How ids rest in the top lists. */
export type IdForm = 'encrypted' | 'plain'

/** The scheme of members that are ids as they are. Fields of a hash beside members must begin otherwise than these do. */
export const plainScheme = 'p'

const nonceBytes = 12
// The first byte of a member says how it was made.
const encrypted = 0x65 // e
const plain = 0x70 // p

/** One secret, and what it makes of ids. */
export class IdentityKey {
  /** Names the key without telling it: counts made under different keys must not be mixed. */
  readonly id: string
  /** Names what it makes of ids for display, as members of a top list. */
  readonly scheme: string
  readonly #hmacKey: KeyObject
  readonly #cipherKey: KeyObject

  /** @param secret - any bytes; what is used is derived from them */
  constructor (secret: string | Buffer) {
    const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `respite hll-tracking ${purpose}`, 32))
    this.#hmacKey = createSecretKey(derive('identity'))
    this.#cipherKey = createSecretKey(derive('display'))
    this.id = derive('key id').toString('hex', 0, 4)
    this.scheme = `e${this.id}`
  }

  /** The same id gives the same identity in every process with this key. */
  of (id: string, form: IdForm): Identity {
    const bytes = Buffer.from(id)
    const digest = this.#digest(bytes)
    return { keyed: digest.subarray(0, keyedBytes), member: form === 'plain' ? plainMember(bytes) : this.#seal(bytes, digest) }
  }

  /** A stand-in for an id that is too long to be kept: 16 bytes of its HMAC. */
  shorten (id: string): string {
    return '#' + this.#digest(Buffer.from(id)).toString('base64url', 0, 16)
  }

  /** The id of an encrypted member, or undefined when it was made under another key, or by nobody. */
  decrypt (member: Buffer): string | undefined {
    if (member[0] !== encrypted || member.length < 1 + nonceBytes) return undefined
    const nonce = member.subarray(1, 1 + nonceBytes)
    const bytes = this.#crypt(nonce, member.subarray(1 + nonceBytes))
    return timingSafeEqual(this.#nonce(this.#digest(bytes)), nonce) ? bytes.toString() : undefined
  }

  #digest (bytes: Buffer): Buffer {
    return createHmac('sha256', this.#hmacKey).update(bytes).digest()
  }

  // As in SIV mode: the nonce is a keyed hash of the text, so that equal ids give equal members, and it proves the text.
  #seal (bytes: Buffer, digest: Buffer): Buffer {
    const nonce = this.#nonce(digest)
    return Buffer.concat([Buffer.of(encrypted), nonce, this.#crypt(nonce, bytes)])
  }

  #nonce (digest: Buffer): Buffer {
    return digest.subarray(keyedBytes, keyedBytes + nonceBytes)
  }

  // Counter mode is its own inverse: this encrypts and decrypts.
  #crypt (nonce: Buffer, bytes: Buffer): Buffer {
    return createCipheriv('aes-256-ctr', this.#cipherKey, Buffer.concat([nonce, Buffer.alloc(4)])).update(bytes)
  }
}

/** The id of a member that is one as it is. */
export function plainId (member: Buffer): string | undefined {
  return member[0] === plain ? member.toString('utf8', 1) : undefined
}

const plainMember = (bytes: Buffer) => Buffer.concat([Buffer.of(plain), bytes])
