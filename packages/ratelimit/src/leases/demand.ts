/** What a process is asked for of a key: units in a lifetime of its leases, the recent ones the more. */
export class Demand {
  readonly #lifetimeMs: number
  #startMs: number
  /** In the lifetime that runs. */
  #units = 0
  /** In the one before. */
  #last = 0
  #average = 0

  constructor (lifetimeMs: number, nowMs: number) {
    this.#lifetimeMs = lifetimeMs
    this.#startMs = nowMs
  }

  /**
   * Counts units that are asked for.
   * @param nowMs - by the monotonic clock
   * @returns units a lifetime, as known before these
   */
  note (units: number, nowMs: number): number {
    const past = Math.floor((nowMs - this.#startMs) / this.#lifetimeMs)
    if (past > 0) {
      this.#average = (this.#average + this.#units) / 2 ** past
      this.#last = past === 1 ? this.#units : 0
      this.#startMs += past * this.#lifetimeMs
      this.#units = 0
    }
    const { known } = this
    this.#units += units
    return known
  }

  /** Units a lifetime, rather too many: what is not spent goes back, and what is missing is a call. */
  get known (): number { return Math.max(this.#average, this.#last, this.#units) }
}

/** Units to ask for: twice the demand of a lifetime, since what is not spent is given back. */
export const wanted = (demand: number) => Math.max(1, Math.ceil(2 * demand))
