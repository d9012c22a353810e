import { createCipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { LRUCache } from 'lru-cache'

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

const nonceBytes = 12
const encrypted = 0x65 // e
const plain = 0x70 // p
// Ids remembered with what was made of them: those of a busy moment come again.
const remembered = 10_000

/** Makes stored identities of ids, and shows them again. */
export class Identities {
  /** Names the key without telling it: counts made under different keys must not be mixed. */
  readonly keyId: string
  readonly #hmacKey: Buffer
  readonly #cipherKey: Buffer
  readonly #form: IdForm
  readonly #known = new LRUCache<string, Identity>({ max: remembered })

  /** @param secret - any bytes; what is used is derived from them */
  constructor (secret: string | Buffer, form: IdForm) {
    const derive = (purpose: string) => Buffer.from(hkdfSync('sha256', secret, '', `respite hll-tracking ${purpose}`, 32))
    this.#hmacKey = derive('identity')
    this.#cipherKey = derive('display')
    this.keyId = derive('key id').toString('hex', 0, 4)
    this.#form = form
  }

  /** The same id gives the same identity in every process with this key. */
  of (id: string): Identity {
    const known = this.#known.get(id)
    if (known !== undefined) return known
    const bytes = Buffer.from(id)
    const digest = this.#digest(bytes)
    const identity = { keyed: digest.subarray(0, keyedBytes), member: this.#form === 'plain' ? plainMember(bytes) : this.#seal(bytes, digest) }
    this.#known.set(id, identity)
    return identity
  }

  /** A stand-in for an id that is too long to be kept: 16 bytes of its HMAC. */
  shorten (id: string): string {
    return '#' + this.#digest(Buffer.from(id)).toString('base64url', 0, 16)
  }

  /** The id of a member, or undefined when it was made under another key, or by nobody. */
  show (member: Buffer): string | undefined {
    if (member[0] === plain) return member.toString('utf8', 1)
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

  #crypt (nonce: Buffer, bytes: Buffer): Buffer {
    return createCipheriv('aes-256-ctr', this.#cipherKey, Buffer.concat([nonce, Buffer.alloc(4)])).update(bytes)
  }
}

const plainMember = (bytes: Buffer) => Buffer.concat([Buffer.of(plain), bytes])
