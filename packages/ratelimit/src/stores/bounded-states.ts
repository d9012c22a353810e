/** What is kept of one rule and subject. */
export interface Kept {
  /** From then on it says nothing any more, in ms. */
  untilMs: number
  /** Whether its subject is refused for now: such a state is the last to go. */
  blocked (nowMs: number): boolean
}

/** How many of the longest unused are looked at for one that may go. */
const looked = 16

/**
 * A bounded map of states in the order of their use. A flood of new keys drops the longest unused that does not refuse
 * its subject; where it finds none, the new key has no place.
 */
export class BoundedStates<State extends Kept> {
  readonly #max: number
  readonly #states = new Map<string, State>()

  constructor (max: number) {
    this.#max = max
  }

  get size (): number { return this.#states.size }

  /** The state if it is there and still says something. */
  get (key: string, nowMs: number): State | undefined {
    const state = this.#states.get(key)
    if (state === undefined) return undefined
    this.#states.delete(key)
    if (state.untilMs <= nowMs) return undefined
    this.#states.set(key, state)
    return state
  }

  /** @returns false when there is no place for it */
  set (key: string, state: State, nowMs: number): boolean {
    if (!this.#states.has(key)) {
      this.#sweep(nowMs)
      if (this.#states.size >= this.#max && !this.#makePlace(nowMs)) return false
    }
    this.#states.delete(key)
    this.#states.set(key, state)
    return true
  }

  /** Whether `set` would find a place for a new key. */
  hasPlace (nowMs: number): boolean {
    if (this.#states.size < this.#max) return true
    let left = looked
    for (const state of this.#states.values()) {
      if (left-- === 0) return false
      if (mayGo(state, nowMs)) return true
    }
    return false
  }

  delete (key: string): void {
    this.#states.delete(key)
  }

  clear (): void {
    this.#states.clear()
  }

  // Two for each that comes: what has ended is gone long before the map is full, and no timer is needed.
  #sweep (nowMs: number): void {
    let left = 2
    for (const [key, state] of this.#states) {
      if (left-- === 0 || state.untilMs > nowMs) return
      this.#states.delete(key)
    }
  }

  #makePlace (nowMs: number): boolean {
    let left = looked
    for (const [key, state] of this.#states) {
      if (left-- === 0) return false
      this.#states.delete(key)
      if (mayGo(state, nowMs)) return true
      this.#states.set(key, state)
    }
    return false
  }
}

const mayGo = (state: Kept, nowMs: number) => state.untilMs <= nowMs || !state.blocked(nowMs)
