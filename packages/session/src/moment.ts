import type { Clock } from '@respite/redis'

/** A moment by both clocks of this process. */
export interface Moment { readonly monotonicMs: number, readonly wallMs: number }

export const momentOf = (clock: Clock): Moment => ({ monotonicMs: clock.monotonicMs(), wallMs: clock.wallMs() })

/** The larger of the two differences: a machine that slept shows it in one of them. */
export const ageMs = (clock: Clock, since: Moment): number => Math.max(clock.monotonicMs() - since.monotonicMs, clock.wallMs() - since.wallMs)
