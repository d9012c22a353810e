import type { FastifyRequest } from 'fastify'

/** The requests that a limit of every route counts; nothing: all. */
export interface Scope {
  readonly methods: readonly string[] | undefined
  /** Lower case, without a slash at its end. */
  readonly prefix: string | undefined
}

/** Whether a limit counts a request of a route: always, never, or as the request tells. */
export type Counts = boolean | ((request: FastifyRequest) => boolean)

/** What a scope says of a route. @param pattern - of the route; undefined where the request alone tells, since none matched */
export function countsOn ({ methods, prefix }: Scope, pattern: string | undefined): Counts {
  const below = prefix === undefined || (pattern === undefined ? 'unknown' : patternBelow(pattern, prefix))
  if (below === false) return false
  const inPath = below === true ? undefined : (request: FastifyRequest) => isBelow(pathOf(request.url), prefix!)
  if (methods === undefined) return inPath ?? true
  const all = new Set(methods)
  // A HEAD made from a GET shares its budget.
  if (all.has('GET')) all.add('HEAD')
  return request => all.has(request.method) && (inPath === undefined || inPath(request))
}

const isBelow = (path: string, prefix: string) => path === prefix || path.startsWith(`${prefix}/`)

/** What the text of a pattern says before its first parameter or wildcard. */
function patternBelow (pattern: string, prefix: string): boolean | 'unknown' {
  const path = collapsed(pattern)
  const literal = path.slice(0, /[:*(]|$/.exec(path)!.index)
  if (literal === path || literal.length > prefix.length) return isBelow(literal, prefix)
  return prefix.startsWith(literal) ? 'unknown' : false
}

/**
 * The path that a router may see in a URL. Routers can be told to ignore case and doubled slashes and to end a path at a semicolon:
 * here all of it is ignored, so that no spelling of a path leaves the limit.
 */
function pathOf (url: string): string {
  const path = url.replace(/^https?:\/\/[^/]*/i, '').replace(/[?#;].*$/s, '')
  try {
    return collapsed(decodeURIComponent(path))
  } catch {
    // Malformed: no route answers it.
    return collapsed(path)
  }
}

const collapsed = (path: string) => path.replace(/\/{2,}/g, '/').toLowerCase()

/** A prefix as it is compared; undefined for `/`, below which everything lies. */
export function comparedPrefix (prefix: string): string | undefined {
  const compared = collapsed(prefix).replace(/\/$/, '')
  return compared === '' ? undefined : compared
}
