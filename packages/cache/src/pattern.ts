import { inspect } from 'node:util'
import { FST_RSP_CACHE_PATTERN_INVALID } from './errors.ts'

/** Each star multiplies the work of a match, at the server too. */
const maxStars = 8

/** A pattern over keys in which `*` stands for any text and nothing else is special. */
export interface Pattern {
  readonly text: string
  test (key: string): boolean
}

/** @throws FST_RSP_CACHE_PATTERN_INVALID */
export function parsePattern (given: string): Pattern {
  const text = typeof given === 'string' ? given.replace(/\*{2,}/g, '*') : ''
  const pieces = text.split('*')
  if (typeof given !== 'string' || pieces.length - 1 > maxStars) throw new FST_RSP_CACHE_PATTERN_INVALID(maxStars, inspect(given, { maxStringLength: 100 }))
  return { text, test: key => matches(pieces, key) }
}

// By hand, not as a RegExp: patterns may come from users, and a RegExp backtracks.
function matches (pieces: readonly string[], key: string): boolean {
  const first = pieces[0]!
  const last = pieces[pieces.length - 1]!
  if (pieces.length === 1) return key === first
  if (key.length < first.length + last.length || !key.startsWith(first) || !key.endsWith(last)) return false
  const end = key.length - last.length
  let at = first.length
  for (let i = 1; i < pieces.length - 1; i++) {
    const found = key.indexOf(pieces[i]!, at)
    if (found === -1 || found + pieces[i]!.length > end) return false
    at = found + pieces[i]!.length
  }
  return true
}
