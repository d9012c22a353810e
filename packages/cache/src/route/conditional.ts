import type { IncomingHttpHeaders } from 'node:http'
import type { StoredResponse } from './stored-response.ts'

/**
 * Whether the client has this answer already: If-None-Match, by weak comparison, and only without it If-Modified-Since.
 * @see RFC 9110, 13.1.2, 13.1.3 and 13.2.2; RFC 9111, 4.3.2
 */
export function isNotModified (asked: IncomingHttpHeaders, { etag, headers }: Pick<StoredResponse, 'etag' | 'headers'>): boolean {
  const tags = asked['if-none-match']
  if (tags !== undefined) return tags.trim() === '*' || entityTags(tags).includes(etag.replace(/^W\//, ''))
  const since = asked['if-modified-since']
  if (since === undefined) return false
  // NaN, of what is no date or not there, compares as false.
  return Date.parse(String(headers['last-modified'])) <= Date.parse(since)
}

/** Opaque tags: a comma may be within one. @see RFC 9110, 8.8.3 */
function entityTags (list: string): string[] {
  return list.match(/"[^"]*"/g) ?? []
}

/** Headers that speak of the body that a 304 does not have. @see RFC 9110, 15.4.5 */
export const ofTheBody: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-encoding', 'content-language', 'content-range', 'content-disposition', 'transfer-encoding'])
