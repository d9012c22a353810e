export type BreakerState = 'closed' | 'open' | 'half-open'

/** Stands before the server: after so many failures in a row nothing is sent, but a probe now and then. */
export class Breaker {
  readonly #failures: number
  readonly #changed: () => void
  #inARow = 0
  #countedThisTurn = false
  state: BreakerState = 'closed'
  /** Why it is open. */
  reason = ''

  constructor (failures: number, changed: () => void) {
    this.#failures = failures
    this.#changed = changed
  }

  succeeded (): void {
    this.#inARow = 0
    if (this.state !== 'closed') this.#become('closed')
  }

  /** However many fail in one turn of the event loop, it is one failure: they have one cause. */
  failed (reason: string): void {
    if (this.state === 'half-open') {
      // Whatever else has failed in this turn: a probe whose failure went uncounted would be the last.
      this.reason = reason
      this.#become('open')
      return
    }
    if (this.#countedThisTurn) return
    this.#countedThisTurn = true
    setImmediate(() => { this.#countedThisTurn = false })
    this.reason = reason
    this.#inARow++
    if (this.state === 'closed' && this.#inARow >= this.#failures) this.#become('open')
  }

  /** A new connection: what failed on the old one says nothing of it. */
  reset (): void {
    this.succeeded()
  }

  probing (): void {
    if (this.state === 'open') this.#become('half-open')
  }

  #become (state: BreakerState): void {
    this.state = state
    this.#changed()
  }
}
