import { createHash } from 'node:crypto'
import { LRUCache } from 'lru-cache'
import { FST_RSP_RATELIMIT_KEY_INVALID } from './errors.ts'

/** What kind of thing is counted; those of different kinds never meet. */
export type SubjectKind = 'ip' | 'user' | 'key'

const remembered = 10_000
const longestRemembered = 256

/** Names for those who are counted: no address and no id rests in a key in clear, and no key is longer than another. */
export class Subjects {
  readonly #known = new LRUCache<string, string>({ max: remembered })

  /** @returns 22 characters of base64url: 132 bits of SHA-256 */
  of (kind: SubjectKind, value: string): string {
    const text = `${kind}\0${value}`
    if (text.length > longestRemembered) return hash(text)
    const known = this.#known.get(text)
    if (known !== undefined) return known
    const subject = hash(text)
    this.#known.set(text, subject)
    return subject
  }
}

// Two texts with different lone surrogates are one in UTF-8.
const hash = (text: string) => createHash('sha256').update(Buffer.from(text, text.isWellFormed() ? 'utf8' : 'utf16le')).digest('base64url').slice(0, 22)

/**
 * What a key function gave, as text; undefined where it gave nothing.
 * @throws FST_RSP_RATELIMIT_KEY_INVALID
 */
export function keyText (limit: string, value: unknown): string | undefined {
  if (typeof value === 'string') return value
  if (value === undefined || value === null) return undefined
  // What should have been a number and is none: all of those would be one.
  if (Number.isNaN(value)) throw new FST_RSP_RATELIMIT_KEY_INVALID(limit, 'NaN')
  if (typeof value !== 'number' && typeof value !== 'bigint') throw new FST_RSP_RATELIMIT_KEY_INVALID(limit, typeof value)
  return String(value)
}
