/** What a hit beyond the limit does to the window: nothing, it begins anew, or it is twice as long each time. */
export type Beyond = 'keep' | 'renew' | 'double'

/** How hits are counted. */
export interface HitRule {
  readonly windowMs: number
  /** Hits a window admits; Infinity: all. */
  readonly max: number
  readonly beyond: Beyond
}

/** The hits of a window, refused ones too. */
export interface Hits {
  count: number
  endsMs: number
  /** How long the window was when it was last set: it cannot end later than that from now. */
  lengthMs: number
}

const longestMs = Number.MAX_SAFE_INTEGER

/** Of a key that nobody has seen. */
export const noHits = (): Hits => ({ count: 0, endsMs: 0, lengthMs: 0 })

/**
 * Counts a hit. A pure function of (state, rule, now), twin of `lua/hits.lua`; the state is changed in place.
 * @returns ms until the window ends
 */
export function hit (state: Hits, rule: HitRule, nowMs: number): number {
  const leftMs = look(state, nowMs)
  if (leftMs === 0) state.count = 0
  state.count++
  const isBeyond = state.count > rule.max
  if (state.count === 1 || (isBeyond && rule.beyond === 'renew')) return set(state, rule.windowMs, nowMs)
  if (isBeyond && rule.beyond === 'double') return set(state, Math.floor(rule.windowMs * 2 ** (state.count - rule.max - 1)), nowMs)
  return leftMs
}

/** Ms until the window ends; 0 when there is none. A clock that was set back makes no window longer. */
export function look (state: Hits, nowMs: number): number {
  if (state.count === 0) return 0
  if (state.endsMs - nowMs > state.lengthMs) state.endsMs = nowMs + state.lengthMs
  return Math.max(0, state.endsMs - nowMs)
}

function set (state: Hits, ms: number, nowMs: number): number {
  state.lengthMs = Math.min(longestMs, ms)
  state.endsMs = nowMs + state.lengthMs
  return state.lengthMs
}
