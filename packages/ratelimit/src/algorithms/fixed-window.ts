import { type Algorithm, msOf } from './algorithm.ts'

/** A window begins with the first that it counts. */
export interface FixedWindow { startMs: number, count: number }

/** Counts within windows of fixed length; admits up to 2L − 1 in a stretch of W that is no window. */
export const fixedWindow: Algorithm<FixedWindow> = {
  fresh: (_, nowUs) => ({ startMs: msOf(nowUs), count: 0 }),
  advance (state, { windowMs }, nowUs) {
    const nowMs = msOf(nowUs)
    const ahead = state.startMs > nowMs
    if (ahead) state.startMs = nowMs
    else if (state.count === 0 || nowMs >= state.startMs + windowMs) {
      state.startMs = nowMs
      state.count = 0
    }
    return ahead
  },
  remaining: ({ count }, { limit }) => Math.max(0, limit - count),
  waitMs: ({ startMs, count }, { limit, windowMs }, nowUs, cost) => cost <= limit - count ? 0 : startMs + windowMs - msOf(nowUs),
  resetMs: ({ startMs, count }, { windowMs }, nowUs) => count === 0 ? 0 : startMs + windowMs - msOf(nowUs),
  charge (state, _rule, _nowUs, cost) { state.count += cost },
  refund (state, _rule, _nowUs, { cost, atMs }) {
    if (atMs >= state.startMs) state.count = Math.max(0, state.count - cost)
  },
  lifeMs: ({ startMs }, { windowMs }, nowUs) => startMs + windowMs - msOf(nowUs)
}
