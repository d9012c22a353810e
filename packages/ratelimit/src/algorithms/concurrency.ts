import { type Algorithm, msOf } from './algorithm.ts'

/** Units that are in use: `number` names the slot, which is nobody's after `untilMs`. */
export interface Slot { readonly number: number, readonly untilMs: number, readonly cost: number }

/** Slots in use, in no order. */
export interface Slots { slots: Slot[] }

// Nobody knows when a request ends: a second is a fair time to ask again.
const againMs = 1_000

/**
 * Units in flight: a slot is held from its charge until its refund. Whoever holds one renews it, by charging it again;
 * one that was not renewed for a window is free, since its process is gone.
 */
export const concurrency: Algorithm<Slots> = {
  fresh: () => ({ slots: [] }),
  advance (state, { windowMs }, nowUs) {
    const nowMs = msOf(nowUs)
    const furthestMs = nowMs + windowMs
    const live = state.slots.filter(({ untilMs }) => untilMs > nowMs)
    const ahead = live.some(({ untilMs }) => untilMs > furthestMs)
    state.slots = ahead ? live.map(slot => ({ ...slot, untilMs: Math.min(slot.untilMs, furthestMs) })) : live
    return ahead
  },
  remaining: (state, { limit }) => Math.max(0, limit - inFlight(state)),
  waitMs: (state, { limit }, _nowUs, cost) => cost <= limit - inFlight(state) ? 0 : againMs,
  resetMs: ({ slots }) => slots.length === 0 ? 0 : againMs,
  charge (state, { windowMs }, nowUs, cost, slot) {
    state.slots = [...state.slots.filter(({ number }) => number !== slot), { number: slot!, untilMs: msOf(nowUs) + windowMs, cost }]
  },
  refund (state, _rule, _nowUs, { slot }) {
    state.slots = state.slots.filter(({ number }) => number !== slot)
  },
  lifeMs: ({ slots }, _rule, nowUs) => Math.max(0, ...slots.map(({ untilMs }) => untilMs - msOf(nowUs)))
}

const inFlight = ({ slots }: Slots) => slots.reduce((sum, { cost }) => sum + cost, 0)
