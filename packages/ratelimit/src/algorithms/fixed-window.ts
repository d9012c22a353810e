import { type Algorithm, msOf } from './algorithm.ts'

/** A window begins with the first that it counts. */
export interface FixedWindow { startMs: number, count: number, windowMs: number }

/** Counts within windows of fixed length; admits up to 2L − 1 in a stretch of W that is no window. */
export const fixedWindow: Algorithm<FixedWindow> = {
  fresh: ({ windowMs }, nowUs) => ({ startMs: msOf(nowUs), count: 0, windowMs }),
  advance (state, { windowMs }, nowUs) {
    const nowMs = msOf(nowUs)
    const ahead = state.startMs > nowMs
    const resized = state.windowMs !== windowMs
    if (ahead) state.startMs = nowMs
    else if (resized && (hasEnded(state, nowMs) || nowMs >= state.startMs + windowMs)) begin(state, nowMs)
    state.windowMs = windowMs
    return ahead || resized
  },
  remaining: (state, { limit }, nowUs) => Math.max(0, limit - countOf(state, msOf(nowUs))),
  waitMs: (state, { limit }, nowUs, cost) => cost <= limit - countOf(state, msOf(nowUs)) ? 0 : leftMs(state, msOf(nowUs)),
  resetMs: (state, _, nowUs) => countOf(state, msOf(nowUs)) === 0 ? 0 : leftMs(state, msOf(nowUs)),
  charge (state, _rule, nowUs, cost) {
    if (hasEnded(state, msOf(nowUs))) begin(state, msOf(nowUs))
    state.count += cost
  },
  refund (state, _rule, nowUs, { cost, atMs }) {
    if (hasEnded(state, msOf(nowUs))) begin(state, msOf(nowUs))
    if (atMs >= state.startMs) state.count = Math.max(0, state.count - cost)
  },
  lifeMs: (state, _, nowUs) => state.startMs + state.windowMs - msOf(nowUs)
}

/** A window that has ended stays as it is until the next charge: a look changes nothing. */
const hasEnded = ({ startMs, count, windowMs }: FixedWindow, nowMs: number) => count === 0 || nowMs >= startMs + windowMs
const countOf = (state: FixedWindow, nowMs: number) => hasEnded(state, nowMs) ? 0 : state.count
const leftMs = (state: FixedWindow, nowMs: number) => hasEnded(state, nowMs) ? state.windowMs : state.startMs + state.windowMs - nowMs

function begin (state: FixedWindow, nowMs: number): void {
  state.startMs = nowMs
  state.count = 0
}
