import { createHash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { ResolvedRouteOptions } from './options.ts'

/** A longer key, of a query made up by a client, is not worth a place. */
export const maxKeyLength = 4_096

/**
 * The key of a request's answer: method, path, the query parameters in canonical order, the chosen headers, the host, and
 * what `varyBy` says. HEAD is answered from GET.
 * @param route - what tells this route from another of the same path, such as its constraints
 * @see RFC 9111, 2 and 4.1
 */
export function requestKey (request: FastifyRequest, route: string, { options, personal }: { options: ResolvedRouteOptions, personal: string | undefined }): string {
  const parts: unknown[] = [route, options.host ? request.host : '', personal ?? null]
  for (const name of options.vary) parts.push(request.headers[name] ?? null)
  return `GET ${pathOf(request.url)}?${canonical(request.query, options.query)} ${JSON.stringify(parts)}`
}

/** Names sorted, values of one name in their order: `?b=2&a=1` and `?a=1&b=2` are one. */
function canonical (query: unknown, chosen: readonly string[] | undefined): string {
  const all = (query ?? {}) as Record<string, unknown>
  const names = (chosen === undefined ? Object.keys(all) : chosen.filter(name => Object.hasOwn(all, name))).toSorted()
  return names.map(name => `${encodeURIComponent(name)}=${encodeURIComponent(JSON.stringify(all[name]) ?? '')}`).join('&')
}

export function pathOf (url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/**
 * A path as it is compared with that of an unsafe request: what a router may take for the same is the same. One taken for
 * the same by mistake costs a miss.
 */
export function looselyPath (url: string): string {
  const path = pathOf(url)
  return decoded(path).toLowerCase().replace(/\/+/g, '/').replace(/(.)\/$/, '$1')
}

function decoded (path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

/** The tag of all answers of a path. */
export function pathTag (loosePath: string, unsafe: 'success' | 'any'): string {
  const name = loosePath.length > 512 ? createHash('sha256').update(loosePath).digest('base64url') : loosePath
  return `${unsafe === 'any' ? 'any' : 'ok'} ${name}`
}
