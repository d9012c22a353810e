/**
 * Time as a port: whatever needs the time of this process takes it from here, so that a test can hand in its own.
 * Deadlines and ages use `monotonicMs`; `wallMs` is for what people read, and to notice a suspended machine.
 */
export interface Clock {
  /** Milliseconds since the epoch, by this machine's clock, which may jump. */
  wallMs (): number
  /** Milliseconds since an arbitrary start; never goes backwards. */
  monotonicMs (): number
}

/** The clocks of this machine. */
export const systemClock: Clock = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now()
}
