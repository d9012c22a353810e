import type { Rule } from '../rule.ts'
import { type Algorithm, msOf } from './algorithm.ts'

/**
 * A ring of stamps in the order of time: `head` is where the next one goes, over the oldest. What was never written is free;
 * until the ring is full, `head` is also the number of stamps.
 */
export interface SlidingLog {
  capacity: number
  head: number
  stamps: number[]
  /** When it is forgotten. */
  expiresUs: number
}

/** Remembers when each unit was admitted: never more than L in any W. */
export const slidingLog: Algorithm<SlidingLog> = {
  fresh: ({ limit }) => ({ capacity: limit, head: 0, stamps: [], expiresUs: 0 }),
  advance (state, rule, nowUs) {
    const { limit } = rule
    const resized = state.capacity !== limit
    if (resized) lay(state, limit, ordered(state))
    const aheadMs = stampAt(state, limit - 1) - msOf(nowUs)
    if (aheadMs > 0) state.stamps = state.stamps.map(stamp => Math.max(0, stamp - aheadMs))
    if (resized || aheadMs > 0) prolong(state, rule, nowUs)
    return resized || aheadMs > 0
  },
  remaining: (state, { windowMs }, nowUs) => free(state, msOf(nowUs) - windowMs),
  waitMs (state, { windowMs }, nowUs, cost) {
    const nowMs = msOf(nowUs)
    return Math.max(0, stampAt(state, cost - 1) + windowMs - nowMs)
  },
  resetMs: (state, { limit, windowMs }, nowUs) => Math.max(0, stampAt(state, limit - 1) + windowMs - msOf(nowUs)),
  charge (state, rule, nowUs, cost) {
    const { limit, windowMs } = rule
    const nowMs = msOf(nowUs)
    const leftMs = msOf(state.expiresUs) - nowMs
    const ended = stampAt(state, limit - 1) <= nowMs - windowMs
    if (ended) lay(state, limit, [])
    if (ended || leftMs < windowMs || leftMs > longestMs(rule)) prolong(state, rule, nowUs)
    // An array that grows takes room for sixteen more: most subjects of a flood come once.
    if (state.stamps.length === 0 && cost === 1) {
      state.stamps = [nowMs]
      state.head = 1 % limit
      return
    }
    for (let i = 0; i < cost; i++) {
      state.stamps[state.head] = nowMs
      state.head = (state.head + 1) % limit
    }
  },
  refund (state, rule, nowUs, { cost, atMs }) {
    let left = cost
    const kept = ordered(state).filter(stamp => stamp !== atMs || left-- <= 0)
    lay(state, rule.limit, kept)
    prolong(state, rule, nowUs)
  },
  lifeMs: ({ expiresUs }, _, nowUs) => (expiresUs - nowUs) / 1_000
}

/** Not exactly a window, so that in Redis not every charge has to prolong it. */
const longestMs = ({ windowMs }: Rule) => windowMs + Math.max(1_000, Math.ceil(windowMs / 15))

function prolong (state: SlidingLog, rule: Rule, nowUs: number): void {
  state.expiresUs = nowUs + longestMs(rule) * 1_000
}

/** The i-th oldest, from 0; 0 for one that was never written. */
function stampAt ({ capacity, head, stamps }: SlidingLog, i: number): number {
  return stamps[(head + i) % capacity] ?? 0
}

/** Stamps that no longer count: they come first in the order of time. */
function free (state: SlidingLog, untilMs: number): number {
  let low = 0
  let high = state.capacity
  while (low < high) {
    const middle = (low + high) >>> 1
    if (stampAt(state, middle) <= untilMs) low = middle + 1
    else high = middle
  }
  return low
}

function ordered (state: SlidingLog): number[] {
  const stamps: number[] = []
  for (let i = 0; i < state.capacity; i++) {
    const stamp = stampAt(state, i)
    if (stamp > 0) stamps.push(stamp)
  }
  return stamps
}

/** Lays stamps out anew; the newest stay when there are too many. */
function lay (state: SlidingLog, capacity: number, stamps: number[]): void {
  state.capacity = capacity
  state.stamps = stamps.slice(Math.max(0, stamps.length - capacity))
  state.head = state.stamps.length % capacity
}
