import type { Rule } from '../rule.ts'
import { type Algorithm, msOf } from './algorithm.ts'

/** Counters of 16 sub-windows, the newest first; `index` is the newest one's number since the epoch. */
export interface SlidingCounter { widthMs: number, index: number, counts: number[] }

const slots = 16

// Any stretch of W touches at most 16 sub-windows of this width.
const widthOf = ({ windowMs }: Rule) => Math.ceil(windowMs / (slots - 1))
const none = () => new Array<number>(slots).fill(0)

/** Counts by sub-windows, the oldest whole: never more than L in any W, and a unit counts for up to W/15 longer than it must. */
export const slidingCounter: Algorithm<SlidingCounter> = {
  fresh (rule, nowUs) {
    const widthMs = widthOf(rule)
    return { widthMs, index: Math.floor(msOf(nowUs) / widthMs), counts: none() }
  },
  advance (state, rule, nowUs) {
    const nowMs = msOf(nowUs)
    const current = Math.floor(nowMs / state.widthMs)
    const passed = current - state.index
    if (passed > 0) state.counts = [...none().slice(0, Math.min(passed, slots)), ...state.counts].slice(0, slots)
    state.index = current
    const ahead = passed < 0
    const resized = state.widthMs !== widthOf(rule)
    if (resized) rewidth(state, widthOf(rule), nowMs)
    return resized || ahead
  },
  remaining: ({ counts }, { limit }) => Math.max(0, limit - sum(counts)),
  waitMs ({ counts, index, widthMs }, { limit }, nowUs, cost) {
    let missing = cost - (limit - sum(counts))
    if (missing <= 0) return 0
    let age = slots
    while (missing > 0) missing -= counts[--age]!
    return (index - age + slots) * widthMs - msOf(nowUs)
  },
  resetMs ({ counts, index, widthMs }, _, nowUs) {
    const age = counts.findIndex(count => count > 0)
    return age === -1 ? 0 : (index - age + slots) * widthMs - msOf(nowUs)
  },
  charge (state, _rule, _nowUs, cost) { state.counts[0]! += cost },
  refund (state, _rule, _nowUs, { cost, atMs }) {
    const age = state.index - Math.floor(atMs / state.widthMs)
    const count = state.counts[age]
    if (count !== undefined) state.counts[age] = Math.max(0, count - cost)
  },
  lifeMs: ({ index, widthMs }, _, nowUs) => (index + slots) * widthMs - msOf(nowUs)
}

const sum = (counts: readonly number[]) => counts.reduce((a, b) => a + b, 0)

/** The rule's window was changed: each count goes where its sub-window ended, so that it counts no shorter than it must. */
function rewidth (state: SlidingCounter, widthMs: number, nowMs: number): void {
  const index = Math.floor(nowMs / widthMs)
  const counts = none()
  for (let age = 0; age < slots; age++) {
    const endMs = (state.index - age + 1) * state.widthMs - 1
    const to = Math.max(0, index - Math.floor(endMs / widthMs))
    if (to < slots) counts[to]! += state.counts[age]!
  }
  state.widthMs = widthMs
  state.index = index
  state.counts = counts
}
