/** The directives of a Cache-Control header, in lower case. */
export type Directives = ReadonlyMap<string, string>

// Both alternatives begin with a character that the other cannot: linear on any input.
const directive = /([^\s,;="]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,;"]*)))?/g

/**
 * Reads Cache-Control, quoted arguments included. A directive that is given twice with different arguments has none that
 * can be trusted, and counts as stale. @see RFC 9111, 5.2 and 4.2.1
 */
export function directivesOf (header: unknown): Directives {
  const found = new Map<string, string>()
  if (header === undefined) return found
  for (const [, name, quoted, token] of String(header).toLowerCase().matchAll(directive)) {
    const value = quoted ?? token ?? ''
    found.set(name!, found.has(name!) && found.get(name!) !== value ? 'twice' : value)
  }
  return found
}

/** The argument of a directive as ms; undefined: it is not there; NaN: it is no number of seconds. @see RFC 9111, 1.2.2 */
export function deltaMs (directives: Directives, name: string): number | undefined {
  const text = directives.get(name)
  if (text === undefined) return undefined
  // Too large to matter is as large as matters.
  return /^\d+$/.test(text) ? Math.min(Number(text), 2 ** 31) * 1_000 : Number.NaN
}

/** The members of a comma-separated header, in lower case. @see RFC 9110, 5.6.1 */
export function listOf (header: unknown): string[] {
  return header === undefined ? [] : String(header).toLowerCase().split(',').map(part => part.trim()).filter(part => part !== '')
}

/** What a request asks of caches. @see RFC 9111, 5.2.1 */
export interface Wishes {
  /** 5.2.1.4: nothing that was not confirmed by the handler. */
  readonly noCache: boolean
  /** 5.2.1.1: nothing older, in ms. */
  readonly maxAgeMs: number
  /** 5.2.1.3: nothing that is not fresh for so long, in ms. */
  readonly minFreshMs: number
  /** 5.2.1.2: what has been stale for no longer will do, in ms. */
  readonly maxStaleMs: number
  /** 5.2.1.7: only what is stored, else 504. */
  readonly onlyIfCached: boolean
}

/** Undefined: a request without wishes, as most are. */
export function wishesOf (cacheControl: string | undefined, pragma: string | undefined): Wishes | undefined {
  if (cacheControl === undefined && pragma === undefined) return undefined
  // Pragma speaks only where Cache-Control is silent. @see RFC 9111, 5.4
  const directives = directivesOf(cacheControl ?? (pragma !== undefined && listOf(pragma).includes('no-cache') ? 'no-cache' : undefined))
  if (directives.size === 0) return undefined
  const wishes = {
    noCache: directives.has('no-cache'),
    // One that cannot be read is as strict as can be.
    maxAgeMs: orElse(deltaMs(directives, 'max-age'), { absent: Number.POSITIVE_INFINITY, unreadable: 0 }),
    minFreshMs: orElse(deltaMs(directives, 'min-fresh'), { absent: 0, unreadable: Number.POSITIVE_INFINITY }),
    maxStaleMs: directives.get('max-stale') === '' ? Number.POSITIVE_INFINITY : orElse(deltaMs(directives, 'max-stale'), { absent: 0, unreadable: 0 }),
    onlyIfCached: directives.has('only-if-cached')
  }
  const silent = !wishes.noCache && wishes.maxAgeMs === Number.POSITIVE_INFINITY && wishes.minFreshMs === 0 && wishes.maxStaleMs === 0 && !wishes.onlyIfCached
  return silent ? undefined : wishes
}

function orElse (ms: number | undefined, { absent, unreadable }: { absent: number, unreadable: number }): number {
  if (ms === undefined) return absent
  return Number.isNaN(ms) ? unreadable : ms
}
