import { hash } from 'node:crypto'
import { FST_RSP_RATELIMIT_KEY_INVALID } from './errors.ts'

/** What kind of thing is counted; those of different kinds never meet. */
export type SubjectKind = 'ip' | 'user' | 'key'

/**
 * A name for who is counted: no address and no id rests in a key in clear, and no key is longer than another.
 * @returns 22 characters of base64url: 132 bits of SHA-256. A third of a microsecond; to remember them would cost more
 */
export function subjectOf (kind: SubjectKind, value: string): string {
  const text = `${kind}\0${value}`
  // Two texts with different lone surrogates are one in UTF-8.
  return hash('sha256', text.isWellFormed() ? text : Buffer.from(text, 'utf16le'), 'base64url').slice(0, 22)
}

/** Names the count of a limit and subject in a map. The length stands first: no two pairs have one name, whatever is in them. */
export const countName = (limit: string, subject: string) => `${subject.length} ${subject}${limit}`

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
