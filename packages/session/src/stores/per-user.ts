import { FST_RSP_SESSION_LIMIT } from '../errors.ts'

/**
 * The sessions that end with a login.
 * @param alive - public ids of the user's live rows, oldest log-in first; a rotated session appears once a row
 * @param replaces - a session that ends in any case, and takes no place
 * @throws FST_RSP_SESSION_LIMIT with `reject`
 */
export function victimsOf (alive: readonly string[], limit: { max: number, onExceed: 'replace' | 'evict-oldest' | 'reject' }, replaces?: string): string[] {
  const sessions = [...new Set(alive)]
  const others = sessions.filter(sid => sid !== replaces)
  const mine = sessions.length === others.length ? [] : [replaces!]
  if (limit.onExceed === 'replace') return [...mine, ...others]
  const excess = others.length - limit.max + 1
  if (excess <= 0) return mine
  if (limit.onExceed === 'reject') throw new FST_RSP_SESSION_LIMIT(others.length)
  return [...mine, ...others.slice(0, excess)]
}
