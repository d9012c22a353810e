import type { IncomingHttpHeaders } from 'node:http'

/** What an answer can be recognised by. */
export interface Validators {
  readonly etag: string | undefined
  readonly lastModified: string | undefined
}

/**
 * Whether the client has this answer already: If-None-Match, by weak comparison, and only without it If-Modified-Since.
 * @see RFC 9110, 13.1.2, 13.1.3 and 13.2.2; RFC 9111, 4.3.2
 */
export function isNotModified (headers: IncomingHttpHeaders, { etag, lastModified }: Validators): boolean {
  const tags = headers['if-none-match']
  if (tags !== undefined) return etag !== undefined && (tags.trim() === '*' || entityTags(tags).includes(etag.replace(/^W\//, '')))
  const since = headers['if-modified-since']
  if (since === undefined || lastModified === undefined) return false
  // NaN, of what is no date, compares as false.
  return Date.parse(lastModified) <= Date.parse(since)
}

/** Opaque tags: a comma may be within one. @see RFC 9110, 8.8.3 */
function entityTags (list: string): string[] {
  return list.match(/"[^"]*"/g) ?? []
}

/** Headers that speak of the body that a 304 does not have. @see RFC 9110, 15.4.5 */
export const ofTheBody: ReadonlySet<string> = new Set(['content-type', 'content-length', 'content-encoding', 'content-language', 'content-range', 'content-disposition', 'transfer-encoding'])
