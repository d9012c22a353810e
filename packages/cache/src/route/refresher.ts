import type { FastifyRequest } from 'fastify'
import { randomToken } from '@respite/redis'
import type { Captured } from './capture.ts'
import type { Exchange } from './exchange.ts'
import { lifetimeOf } from './freshness.ts'
import { directivesOf } from './directives.ts'
import { type Candidate, type StoringRules, headersToStore, mayBeShared } from './storable.ts'
import type { StoredResponse } from './stored-response.ts'

/** How asking the handler again has ended. */
export type Refreshed =
  | { readonly kind: 'stored', readonly status: number, readonly response: StoredResponse }
  /** It failed: what is stored may go on where stale-if-error allows it. */
  | { readonly kind: 'failed' }
  /** It gave what must not be stored: what is stored must go. */
  | { readonly kind: 'gone' }

/** Ends a run whose handler failed: what is stored stays. */
export class RefreshFailed extends Error {
  override readonly message = 'the handler failed'
}

/** The header by which this process knows a request of its own; its value is good for one. */
const ownHeader = 'x-respite-refresh'

/** What a request of a client says of that client's copy, or of its connection, and not of the answer. */
const dropped = new Set(['if-none-match', 'if-modified-since', 'if-match', 'if-unmodified-since', 'if-range', 'range', 'cache-control', 'pragma', 'connection', 'content-length', 'transfer-encoding', 'expect', 'upgrade', ownHeader])

interface Ticket { answered: Promise<Captured | undefined> | undefined, readonly encrypted: boolean }

/**
 * Asks a route's handler again, with the validators of the stale answer, by a request of the app to itself: the client that
 * needed it may have been answered long before. It passes all hooks as a request of that client does.
 * @see RFC 9111, 4.3.1 to 4.3.4
 */
export class Refresher {
  readonly #tickets = new Map<string, Ticket>()

  /** The ticket of a request of our own, which is used up; undefined for a client's. */
  take (request: FastifyRequest): ((answered: Promise<Captured | undefined>) => void) | undefined {
    const token = request.headers[ownHeader]
    if (typeof token !== 'string') return undefined
    delete request.headers[ownHeader]
    const ticket = this.#tickets.get(token)
    if (ticket === undefined || !this.#tickets.delete(token)) return undefined
    // It has no body that could still come: @fastify/reply-from would say so to the client, in the place of the server's Connection.
    Object.assign(request.raw, { complete: true })
    // Links that a handler makes of the protocol are those of the client's.
    if (ticket.encrypted) Object.assign(request.raw.socket, { encrypted: true })
    return answered => { ticket.answered = answered }
  }

  async run ({ server, request }: Exchange, stale: StoredResponse, rules: Omit<StoringRules, 'nowMs'> & { nowMs: () => number }): Promise<Refreshed> {
    const token = randomToken()
    const ticket: Ticket = { answered: undefined, encrypted: request.protocol === 'https' }
    this.#tickets.set(token, ticket)
    try {
      const { statusCode, headers } = await server.inject({ method: 'GET', url: request.originalUrl, headers: headersFor(request, stale, token), remoteAddress: request.socket.remoteAddress ?? '127.0.0.1' })
      const captured = await ticket.answered
      // A hook has answered before the handler: that says nothing of what is stored.
      if (captured === undefined) return { kind: 'failed' }
      const { status } = captured.candidate
      if (captured.response !== undefined) return { kind: 'stored', status, response: captured.response }
      if (status === 304) return confirmed(stale, captured, { ...rules, nowMs: rules.nowMs(), onTheWire: headers })
      return captured.candidate.failed || status >= 500 || status === 429 || statusCode >= 500 ? { kind: 'failed' } : { kind: 'gone' }
    } finally {
      this.#tickets.delete(token)
    }
  }
}

function headersFor (request: FastifyRequest, stale: StoredResponse, token: string): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { host: request.host, [ownHeader]: token }
  for (const [name, value] of Object.entries(request.headers)) {
    // HTTP/2 has its own, which begin with a colon.
    if (value !== undefined && !name.startsWith(':') && !dropped.has(name)) headers[name] = value
  }
  const { 'last-modified': since } = stale.headers
  headers['if-none-match'] = stale.etag
  if (since !== undefined) headers['if-modified-since'] = since
  return headers
}

/** The stored answer, confirmed: its body under the headers of the 304, unless by these it must not be shared any more. @see RFC 9111, 4.3.4 and 3.2 */
function confirmed (stale: StoredResponse, { candidate }: Captured, { onTheWire, ...rules }: StoringRules & { onTheWire: Candidate['final'] }): Refreshed {
  const { before, sent, final } = candidate
  const { 'content-type': _, 'content-encoding': __, ...added } = headersToStore(before, sent, { ...final, 'content-type': undefined })
  const headers = { ...stale.headers, ...added }
  const age = sent['age'] === undefined ? {} : { age: sent['age'] }
  const date = sent['date'] === undefined ? {} : { date: sent['date'] }
  const directives = directivesOf(headers['cache-control'])
  if (!mayBeShared({ before, sent, final: onTheWire }, directives, rules)) return { kind: 'gone' }
  const life = lifetimeOf({ ...headers, ...age, ...date }, directives, rules)
  return { kind: 'stored', status: 304, response: { ...stale, headers, atMs: rules.nowMs, life } }
}
