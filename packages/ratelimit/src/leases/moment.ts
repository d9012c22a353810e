import type { Clock } from '@respite/redis'

/** A moment by both clocks of this machine: the monotonic one may stand still while the machine is suspended. */
export interface Moment { readonly monotonicMs: number, readonly wallMs: number }

/** Now. */
export const momentOf = (clock: Clock): Moment => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() })

/** The larger of what the two clocks say. */
export const passedMs = (from: Moment, to: Moment) => Math.max(to.monotonicMs - from.monotonicMs, to.wallMs - from.wallMs)
