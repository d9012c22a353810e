import type { Rule } from '../rule.ts'
import { type Algorithm, msOf } from './algorithm.ts'

/** The theoretical arrival time of the next unit, in µs. */
export interface Gcra { tatUs: number }

/** Time a unit takes, in whole µs: rounded up, so that the rate is never exceeded. */
export const intervalUs = ({ limit, windowMs }: Rule) => Math.ceil(windowMs * 1_000 / limit)

/**
 * Rate and burst: units are admitted one an interval, and up to `capacity` at once after a rest.
 * @see ITU-T I.371, virtual scheduling algorithm
 */
export const gcra: Algorithm<Gcra> = {
  fresh: (_, nowUs) => ({ tatUs: nowUs }),
  advance (state, rule, nowUs) {
    const latestUs = nowUs + rule.capacity * intervalUs(rule)
    const ahead = state.tatUs > latestUs
    state.tatUs = Math.max(nowUs, Math.min(state.tatUs, latestUs))
    return ahead
  },
  remaining: ({ tatUs }, rule, nowUs) => Math.floor((nowUs + rule.capacity * intervalUs(rule) - tatUs) / intervalUs(rule)),
  waitMs ({ tatUs }, rule, nowUs, cost) {
    const interval = intervalUs(rule)
    return Math.ceil(Math.max(0, tatUs + cost * interval - rule.capacity * interval - nowUs) / 1_000)
  },
  resetMs: ({ tatUs }, _, nowUs) => Math.ceil((tatUs - nowUs) / 1_000),
  charge (state, rule, _nowUs, cost) { state.tatUs += cost * intervalUs(rule) },
  // What has leaked since is not given back: else a late refund would admit more than the burst.
  refund (state, rule, nowUs, { cost, atMs }) {
    const leakedUs = Math.max(0, nowUs - atMs * 1_000)
    state.tatUs = Math.max(nowUs, state.tatUs - Math.max(0, cost * intervalUs(rule) - leakedUs))
  },
  lifeMs: ({ tatUs }, _, nowUs) => Math.max(1, msOf(tatUs - nowUs) + 1)
}
