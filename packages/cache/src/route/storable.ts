import { type Directives, directivesOf, listOf } from './directives.ts'
import { type Lifetime, type Times, lifetimeOf, saysHowLong } from './freshness.ts'
import { isStoredStatus } from './stored-response.ts'

type Headers = Readonly<Record<string, unknown>>

/** Headers that speak of one answer or one client, and never of the next. @see RFC 9111, 3.1 */
const never = /^(?:set-cookie|ratelimit.*|x-ratelimit.*|retry-after|x-cache|cache-status|age|date|connection|keep-alive|transfer-encoding|content-length|te|trailer|upgrade|www-authenticate|authentication-info|proxy-.*)$/

/**
 * What the handler has set: added or changed between the look before it and the one when it sent. The content type is
 * taken as it left, since Fastify chooses it for handlers that do not.
 */
export function headersToStore (before: Headers, sent: Headers, final: Headers): Record<string, string | string[]> {
  const kept: Record<string, string | string[]> = {}
  // RFC 9111, 3.1: what Connection names is for one connection.
  const hop = listOf(sent['connection'])
  for (const [name, value] of Object.entries(sent)) {
    if (value === undefined || never.test(name) || hop.includes(name) || name === 'vary' || String(before[name]) === String(value)) continue
    kept[name] = Array.isArray(value) ? value.map(String) : String(value)
  }
  const vary = varies(before, sent)
  if (vary.length > 0) kept['vary'] = vary.join(', ')
  if (final['content-type'] !== undefined) kept['content-type'] = String(final['content-type'])
  return kept
}

/** What decides whether an answer may be kept. */
export interface Candidate {
  readonly status: number
  /** Whether the handler threw, or sent an error. */
  readonly failed: boolean
  /** The reply's headers before the handler, when it sent, and before the wire. */
  readonly before: Headers
  readonly sent: Headers
  readonly final: Headers
}

/** What the route says of its answers. */
export interface StoringRules {
  readonly times: Times
  /** Request headers by which its answers differ. */
  readonly vary: readonly string[]
  /** Whether the key names a user or tenant. */
  readonly personal: boolean
  readonly nowMs: number
}

/** How long an answer may be used; undefined: it must not be stored. @see RFC 9111, 3 */
export function lifetimeToStore (candidate: Candidate, rules: StoringRules): Lifetime | undefined {
  const { status, failed, sent, final } = candidate
  const directives = directivesOf(sent['cache-control'])
  // Only a 200 is stored for the route's sake alone; RFC 9111, 4.2.2 would guess for others too.
  if (failed || !isStoredStatus(status) || (status !== 200 && !saysHowLong(sent, directives))) return undefined
  if ('content-range' in sent || !mayBeShared(candidate, directives, rules)) return undefined
  // Something between the handler and here has changed the body: what it was is not known any more.
  if (String(sent['content-encoding']) !== String(final['content-encoding'])) return undefined
  const life = lifetimeOf(sent, directives, rules)
  return life.freshMs < 1 ? undefined : life
}

/** Whether what an answer says of itself lets others have it, be it whole or the 304 that confirms it. */
export function mayBeShared ({ before, sent, final }: Omit<Candidate, 'status' | 'failed'>, directives: Directives, { vary, personal }: Pick<StoringRules, 'vary' | 'personal'>): boolean {
  if (final['set-cookie'] !== undefined) return false
  // RFC 9111, 4.1: `*` is never listed either.
  if (varies(before, sent).some(name => !vary.includes(name))) return false
  // RFC 9111, 5.2.2.5, 5.2.2.4 (it would have to be confirmed each time) and 5.2.2.7
  return !directives.has('no-store') && !directives.has('no-cache') && (personal || !directives.has('private'))
}

/** Header names that the handler has said the answer varies by. @see RFC 9110, 12.5.5 */
function varies (before: Headers, after: Headers): string[] {
  const known = listOf(before['vary'])
  return listOf(after['vary']).filter(name => !known.includes(name))
}
