/** Milliseconds since the page was opened; the clock only goes on, whatever is done to that of the machine. */
export function nowMs (): number {
  return performance.now()
}

/** Milliseconds since the epoch, by the machine's clock: for times that people read. */
export function wallMs (): number {
  return Date.now()
}
