import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Cache } from '../cache.ts'
import { groupsOf } from './groups.ts'
import { looselyPath, pathOf, pathTag } from './request-key.ts'

/** Methods that change nothing. @see RFC 9110, 9.2.1 */
const safe = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE'])

/**
 * Ends stored answers when a request that may have changed them was answered.
 * @see RFC 9111, 4.4; RFC 9875, 3
 */
export class UnsafeRequests {
  readonly #cache: Cache
  /** The patterns of cached routes, by what ends their answers. */
  readonly #cached = { success: new Map<string, RegExp>(), any: new Map<string, RegExp>() }
  readonly #done = new WeakSet<FastifyRequest>()

  constructor (cache: Cache) {
    this.#cache = cache
  }

  /** Answers of this pattern are stored: requests elsewhere need end nothing. */
  watch (pattern: string, unsafe: 'success' | 'any'): void {
    const segments = pattern.toLowerCase().split('/').filter(part => part !== '').map(segmentOf)
    this.#cached[unsafe].set(pattern, new RegExp(`^${segments.join('')}/?$`, 's'))
  }

  /** To be awaited before the answer leaves: whoever has it and asks again is given nothing older. */
  async answered (request: FastifyRequest, reply: FastifyReply): Promise<void> {
    if (this.#done.has(request)) return
    this.#done.add(request)
    const tags = this.#tagsOf(request, reply)
    if (tags.length > 0) await this.#cache.invalidateTags(...tags)
  }

  /** Whether this request may have changed something. */
  concerns ({ method }: FastifyRequest): boolean {
    return !safe.has(method)
  }

  #tagsOf (request: FastifyRequest, reply: FastifyReply): string[] {
    const succeeded = reply.statusCode < 400
    const paths = [request.url, request.originalUrl]
    // RFC 9111, 4.4: also what the answer points to, on this host alone.
    if (succeeded) for (const name of ['location', 'content-location']) paths.push(...sameHost(request, reply.getHeader(name)))
    const ended = (unsafe: 'success' | 'any') => [...new Set(paths.filter(path => this.#isCached(path, unsafe)).map(path => pathTag(looselyPath(path), unsafe)))]
    const tags = succeeded ? [...ended('success'), ...ended('any')] : ended('any')
    // RFC 9875, 3: a malformed header says nothing.
    return [...tags, ...groupsOf(reply.getHeader('cache-group-invalidation')) ?? []]
  }

  /** A slash that is written as %2F is none to the router. */
  #isCached (url: string, unsafe: 'success' | 'any'): boolean {
    const paths = [looselyPath(url), pathOf(url).toLowerCase()]
    for (const pattern of this.#cached[unsafe].values()) if (paths.some(path => pattern.test(path))) return true
    return false
  }
}

function segmentOf (segment: string): string {
  if (segment === '*') return '(?:/.*)?'
  // A wildcard within, a parameter, or several with text between: whatever is there.
  if (segment.includes('*')) return '/.*'
  if (segment.includes(':')) return segment.endsWith('?') ? '(?:/[^/]*)?' : '/[^/]*'
  return '/' + segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

function sameHost (request: FastifyRequest, header: unknown): string[] {
  const base = `${request.protocol}://${request.host}`
  if (typeof header !== 'string' || !URL.canParse(request.url, base) || !URL.canParse(header, base + request.url)) return []
  const target = new URL(header, base + request.url)
  return target.host === new URL(base).host ? [target.pathname] : []
}
