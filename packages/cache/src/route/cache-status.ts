/** Why the handler was asked. @see RFC 9211, 2.2 */
export type Forward = 'bypass' | 'method' | 'uri-miss' | 'stale' | 'request'

/** A member of Cache-Status for an answer that was stored. @see RFC 9211, 2.1 and 2.4 */
export function hitStatus (ttlMs: number, forwarded?: { forward: Forward, status?: number, collapsed?: boolean }): string {
  const ttl = `; ttl=${Math.floor(ttlMs / 1_000)}`
  if (forwarded === undefined) return `respite; hit${ttl}`
  return forwardStatus(forwarded.forward, { ...forwarded, stored: forwarded.collapsed !== true }) + ttl
}

/** A member of Cache-Status for an answer of the handler. @see RFC 9211, 2.2, 2.3, 2.5 and 2.6 */
export function forwardStatus (forward: Forward, { status, stored, collapsed }: { status?: number, stored?: boolean, collapsed?: boolean } = {}): string {
  return `respite; fwd=${forward}${status === undefined ? '' : `; fwd-status=${status}`}${stored === true ? '; stored' : ''}${collapsed === true ? '; collapsed' : ''}`
}

/** A cache adds its member after those of the caches before it. @see RFC 9211, 2 */
export function appended (present: unknown, member: string): string {
  return present === undefined || present === '' ? member : `${String(present)}, ${member}`
}
