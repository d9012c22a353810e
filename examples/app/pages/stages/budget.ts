/** What an answer says of one limit: how much of it is left, and when more of it is. */
export interface Budget {
  readonly name: string
  readonly limit: number
  readonly windowMs: number
  readonly remaining: number
  /** Of the limit that refused, until it has room; of the others, until all of it is free. */
  readonly untilMs: number
}

/** When each unit that was used is free again, the first first. */
export type Returns = readonly number[]

interface Item { name: string, values: Record<string, number> }

// The part of RFC 9651 that these fields use: a list of strings, each with parameters.
const item = /"((?:[^"\\]|\\["\\])*)"((?:;[a-z]+=(?:\d+|"[^"]*"))*)/g
const parameter = /;([a-z]+)=(\d+)/g

function itemsOf (field: string | null): Item[] {
  return Array.from((field ?? '').matchAll(item), ([, name, parameters]) => ({
    name: name!.replace(/\\(.)/g, '$1'),
    values: Object.fromEntries(Array.from(parameters!.matchAll(parameter), ([, key, value]) => [key!, Number(value)]))
  }))
}

/**
 * The budgets in the fields RateLimit-Policy and RateLimit; a limit that only one of them names is left out.
 * @see draft-ietf-httpapi-ratelimit-headers-10
 */
export function budgetsOf (headers: { get (name: string): string | null }): Budget[] {
  const states = new Map(itemsOf(headers.get('ratelimit')).map(({ name, values }) => [name, values]))
  return itemsOf(headers.get('ratelimit-policy')).flatMap(({ name, values: { q: limit, w } }) => {
    const { r: remaining, t } = states.get(name) ?? {}
    if (limit === undefined || w === undefined || remaining === undefined || t === undefined) return []
    return [{ name, limit, windowMs: w * 1_000, remaining, untilMs: t * 1_000 }]
  })
}

/**
 * When the used units are free again, after one more answer. The server says how many are used and when the next or the
 * last is back; the page itself knows when it was granted each of them.
 */
export function returnsAfter (before: Returns, { limit, windowMs, remaining, untilMs }: Budget, { nowMs, granted }: { nowMs: number, granted: boolean }): Returns {
  const known = before.filter(atMs => atMs > nowMs)
  if (granted) known.push(nowMs + windowMs)
  const used = Math.max(0, limit - remaining)
  const unknown = Array.from({ length: Math.max(0, used - known.length) }, () => nowMs + Math.min(untilMs, windowMs))
  return [...known, ...unknown].sort((a, b) => a - b).slice(used === 0 ? Infinity : -used)
}

/** How full a budget is, 0 to 1: a unit comes back little by little over its window, and can be used when it is whole. */
export function fullness (returns: Returns, { limit, windowMs }: Pick<Budget, 'limit' | 'windowMs'>, nowMs: number): number {
  if (limit === 0) return 0
  const missing = returns.reduce((sum, atMs) => sum + Math.min(1, Math.max(0, atMs - nowMs) / windowMs), 0)
  return Math.max(0, 1 - missing / limit)
}

/** A budget in words: how many calls are free, and when the next one is. */
export function budgetText (returns: Returns, limit: number, nowMs: number): string {
  const used = returns.filter(atMs => atMs > nowMs)
  const next = used.length === 0 ? '' : `, one more in ${secondsUntil(used[0]!, nowMs)} s`
  return `${Math.max(0, limit - used.length)} of ${limit} free${next}`
}

/** Whole seconds, rounded up: who waits them out has waited long enough. */
export function secondsUntil (atMs: number, nowMs: number): number {
  return Math.max(0, Math.ceil((atMs - nowMs) / 1_000))
}
