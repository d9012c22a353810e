import { createHash, hash } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { ResolvedRouteOptions } from './options.ts'

/** A longer key, of a query made up by a client, is not worth a place. */
export const maxKeyLength = 4_096

/**
 * Makes the keys of one route's answers: method, path, the query parameters in canonical order, the chosen headers, scheme and
 * host, and what `varyBy` says. HEAD is answered from GET.
 * @see RFC 9111, 2 and 4.1
 */
export class RequestKeys {
  readonly #host: boolean
  readonly #vary: readonly string[]
  /** The chosen parameters in canonical order, as they are asked for and as they are written. */
  readonly #chosen: readonly (readonly [name: string, written: string])[] | undefined
  readonly #route: string

  /** @param route - what tells this route from another of the same path, such as its constraints */
  constructor (route: string, { host, vary, query }: Pick<ResolvedRouteOptions, 'host' | 'vary' | 'query'>) {
    this.#host = host
    this.#vary = vary
    this.#chosen = query?.toSorted().map(name => [name, encodeURIComponent(name)])
    this.#route = JSON.stringify(route)
  }

  of ({ url, protocol, host, query, headers }: Pick<FastifyRequest, 'url' | 'protocol' | 'host' | 'query' | 'headers'>, personal: string | undefined): string {
    const origin = this.#host ? `${protocol}://${host}` : protocol
    return `GET ${pathOf(url)}?${this.#canonical((query ?? {}) as Query)} [${this.#route},${JSON.stringify(origin)}${this.#varied(headers, personal)}]`
  }

  /** As a digest: a user's id or a header's token is in no key in clear. */
  #varied (headers: FastifyRequest['headers'], personal: string | undefined): string {
    if (personal === undefined && this.#vary.length === 0) return ''
    let text = asJson(personal)
    for (const name of this.#vary) text += `,${asJson(headers[name])}`
    return `,${hash('sha256', text, 'base64url')}`
  }

  /** Names sorted, values of one name in their order: `?b=2&a=1` and `?a=1&b=2` are one. */
  #canonical (query: Query): string {
    let text = ''
    if (this.#chosen === undefined) {
      for (const name of Object.keys(query).sort()) text += `&${encodeURIComponent(name)}=${writtenValue(query[name])}`
    } else {
      for (const [name, written] of this.#chosen) if (Object.hasOwn(query, name)) text += `&${written}=${writtenValue(query[name])}`
    }
    return text.slice(1)
  }
}

type Query = Readonly<Record<string, unknown>>

function asJson (value: string | string[] | undefined): string {
  return value === undefined ? 'null' : JSON.stringify(value)
}

function writtenValue (value: unknown): string {
  // What most values are made of needs no escape, neither in JSON nor in a URL.
  return typeof value === 'string' && /^[\w.-]*$/.test(value) ? `%22${value}%22` : encodeURIComponent(JSON.stringify(value) ?? '')
}

/** A URL without its query. */
export function pathOf (url: string): string {
  const end = url.indexOf('?')
  return end === -1 ? url : url.slice(0, end)
}

/**
 * A path as it is compared with that of an unsafe request: what a router may take for the same is the same. One taken for
 * the same by mistake costs a miss.
 */
export function looselyPath (url: string): string {
  // A router may end the path at these too.
  const [path = ''] = url.split(/[?;#]/, 1)
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
