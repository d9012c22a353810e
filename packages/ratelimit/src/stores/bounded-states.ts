/** What is kept of one rule and subject. */
export interface Kept {
  /** From then on it says nothing any more, in ms. */
  untilMs: number
  /** Whether its subject is refused for now: such a state is the last to go. */
  blocked (nowMs: number): boolean
}

/** How many of the longest unused are looked at for one that may go. */
const looked = 16

/** A state between those that were used before and after it. */
interface Place<State> {
  readonly key: string
  state: State
  older: Place<State> | undefined
  newer: Place<State> | undefined
}

/**
 * A bounded map of states in the order of their use. A flood of new keys drops the longest unused that does not refuse
 * its subject; where it finds none, the new key has no place.
 */
export class BoundedStates<State extends Kept> {
  readonly #max: number
  // Not its order: a Map passes over all that was deleted from its front each time it is walked.
  readonly #places = new Map<string, Place<State>>()
  #oldest: Place<State> | undefined
  #newest: Place<State> | undefined

  constructor (max: number) {
    this.#max = max
  }

  get size (): number { return this.#places.size }

  /** The state if it is there and still says something. */
  get (key: string, nowMs: number): State | undefined {
    const place = this.#places.get(key)
    if (place === undefined) return undefined
    if (place.state.untilMs <= nowMs) {
      this.#drop(place)
      return undefined
    }
    this.#use(place)
    return place.state
  }

  /** @returns false when there is no place for it */
  set (key: string, state: State, nowMs: number): boolean {
    const known = this.#places.get(key)
    if (known !== undefined) {
      known.state = state
      this.#use(known)
      return true
    }
    this.#sweep(nowMs)
    if (this.#places.size >= this.#max && !this.#makePlace(nowMs)) return false
    const place: Place<State> = { key, state, older: undefined, newer: undefined }
    this.#places.set(key, place)
    this.#append(place)
    return true
  }

  /** Whether `set` would find a place for a new key. */
  hasPlace (nowMs: number): boolean {
    if (this.#places.size < this.#max) return true
    let place = this.#oldest
    for (let left = looked; left > 0 && place !== undefined; left--, place = place.newer) if (mayGo(place.state, nowMs)) return true
    return false
  }

  delete (key: string): void {
    const place = this.#places.get(key)
    if (place !== undefined) this.#drop(place)
  }

  clear (): void {
    this.#places.clear()
    this.#oldest = this.#newest = undefined
  }

  // Two for each that comes: what has ended is gone long before the map is full, and no timer is needed.
  #sweep (nowMs: number): void {
    for (let left = 2; left > 0 && this.#oldest !== undefined && this.#oldest.state.untilMs <= nowMs; left--) this.#drop(this.#oldest)
  }

  // Whoever is looked at and may not go is looked at again only after all others.
  #makePlace (nowMs: number): boolean {
    for (let left = looked; left > 0 && this.#oldest !== undefined; left--) {
      const place = this.#oldest
      if (mayGo(place.state, nowMs)) {
        this.#drop(place)
        return true
      }
      this.#use(place)
    }
    return false
  }

  #drop (place: Place<State>): void {
    this.#places.delete(place.key)
    this.#unlink(place)
  }

  #use (place: Place<State>): void {
    if (place === this.#newest) return
    this.#unlink(place)
    this.#append(place)
  }

  #unlink ({ older, newer }: Place<State>): void {
    if (older === undefined) this.#oldest = newer
    else older.newer = newer
    if (newer === undefined) this.#newest = older
    else newer.older = older
  }

  #append (place: Place<State>): void {
    place.older = this.#newest
    place.newer = undefined
    if (this.#newest === undefined) this.#oldest = place
    else this.#newest.newer = place
    this.#newest = place
  }
}

const mayGo = (state: Kept, nowMs: number) => state.untilMs <= nowMs || !state.blocked(nowMs)
