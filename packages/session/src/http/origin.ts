import type { FastifyRequest } from 'fastify'
import { FST_RSP_SESSION_CROSS_ORIGIN } from '../errors.ts'

/** Tells requests of our own pages from those that another site makes a browser send. */
export type OriginCheck = (request: FastifyRequest) => Error | undefined

/**
 * @param csrf - false: everything passes; `origins`: those that pass beside our own
 * @see OWASP CSRF Prevention, verifying origin with standard headers
 */
export function originCheck (csrf: boolean | { readonly origins: readonly string[] }): OriginCheck {
  if (csrf === false) return () => undefined
  const allowed = new Set(csrf === true ? [] : csrf.origins)
  return request => {
    const { method, headers } = request
    // A WebSocket is opened by GET, from any page: no other check would stand between that and what is sent over it.
    if (headers.upgrade === undefined && (method === 'GET' || method === 'HEAD' || method === 'OPTIONS')) return undefined
    return comesFromUs(headers, allowed) ? undefined : new FST_RSP_SESSION_CROSS_ORIGIN(method)
  }
}

function comesFromUs ({ origin, host, 'sec-fetch-site': site }: FastifyRequest['headers'], allowed: ReadonlySet<string>): boolean {
  // Browsers send Origin with every unsafe request; what sends neither header is no browser, and has no one's cookies.
  if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none'
  // The host alone: behind a proxy that ends TLS we do not know our own scheme.
  return allowed.has(origin) || hostOf(origin) === host?.toLowerCase()
}

function hostOf (origin: string): string | undefined {
  return /^https?:\/\/([^/]+)$/i.exec(origin)?.[1]?.toLowerCase()
}
