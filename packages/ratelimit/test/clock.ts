import type { Clock } from '@respite/redis'

/** Time that passes when the test says so. */
export interface FakeClock extends Clock { nowMs: number }

export function fakeClock (nowMs = Date.UTC(2026, 4, 10, 12)): FakeClock {
  const clock = { nowMs, wallMs: () => clock.nowMs, monotonicMs: () => clock.nowMs }
  return clock
}
