/** When somebody is banned, and for how long: what the stores know of it. Durations in ms. */
export interface BanRule {
  /** Refusals within the window that ban. */
  readonly after: number
  readonly windowMs: number
  /** The first ban. */
  readonly forMs: number
  /** Each further one is so many times as long. */
  readonly factor: number
  /** The longest; who has had none for as long begins anew. */
  readonly maxMs: number
}

/** What is known of a subject's refusals and bans. */
export interface BanState {
  startMs: number
  strikes: number
  /** Bans so far, up to `mostBans`. */
  bans: number
  untilMs: number
}

/** More make no ban longer. */
const mostBans = 200

/** Of a subject that nobody has refused. */
export const noBan = (nowMs: number): BanState => ({ startMs: nowMs, strikes: 0, bans: 0, untilMs: 0 })

/** Brings a state to now, and to the rule as it is now. Twin, as all here, of the ban in `lua/limits.lua`. */
export function advanceBan (state: BanState, { windowMs, maxMs }: BanRule, nowMs: number): void {
  // No ban lies further ahead than the longest: the clock was set back, or the rule is another.
  state.untilMs = Math.min(state.untilMs, nowMs + maxMs)
  if (state.startMs > nowMs || nowMs >= state.startMs + windowMs) {
    state.startMs = nowMs
    state.strikes = 0
  }
  if (nowMs >= state.untilMs + maxMs) state.bans = 0
}

/** Counts a refusal of somebody who is not banned. @returns how long the ban is that it begins, 0 for none */
export function strike (state: BanState, { after, forMs, factor, maxMs }: BanRule, nowMs: number): number {
  state.strikes++
  if (state.strikes < after) return 0
  let banMs = Math.min(forMs, maxMs)
  for (let i = 0; i < state.bans && banMs < maxMs; i++) banMs = Math.min(maxMs, Math.floor(banMs * factor))
  state.bans = Math.min(mostBans, state.bans + 1)
  state.startMs = nowMs
  state.strikes = 0
  state.untilMs = nowMs + banMs
  return banMs
}

/** How long a state matters, in ms. */
export function banLifeMs ({ startMs, bans, untilMs }: BanState, { windowMs, maxMs }: BanRule, nowMs: number): number {
  return Math.max(startMs + windowMs - nowMs, bans === 0 ? 0 : untilMs + maxMs - nowMs)
}
