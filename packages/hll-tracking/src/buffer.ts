import { sizeMs } from './buckets.ts'

/** The calls of an id in a minute. */
export interface Tally {
  calls: number
}

/** What was seen of one metric in one minute. */
export interface Group {
  readonly metric: string
  readonly minuteMs: number
  readonly tallies: ReadonlyMap<string, Tally>
}

/**
 * Events on their way to the store: one entry for each metric, minute and id, however often it was seen.
 * Entries keep their place until they are released, which is when the store has them.
 */
export class EventBuffer {
  readonly #maxEntries: number
  #size = 0
  #waiting = 0
  #minuteMs = Number.NaN
  #open = new Map<string, Map<string, Tally>>()
  #sealed: Group[] = []

  /** @param maxEntries - entries it holds at most */
  constructor (maxEntries: number) {
    this.#maxEntries = maxEntries
  }

  /** Entries, those that were taken and not yet released included. */
  get size (): number {
    return this.#size
  }

  /** Entries that wait to be taken. */
  get waiting (): number {
    return this.#waiting
  }

  /** Notes an event in the minute of its own time. False when there is no place for it. */
  add (metric: string, id: string, nowMs: number): boolean {
    const minuteMs = nowMs - nowMs % sizeMs.minute
    if (minuteMs !== this.#minuteMs) this.#turn(minuteMs)
    let tallies = this.#open.get(metric)
    const tally = tallies?.get(id)
    if (tally !== undefined) {
      tally.calls++
      return true
    }
    if (this.#size >= this.#maxEntries) return false
    this.#size++
    this.#waiting++
    if (tallies === undefined) this.#open.set(metric, tallies = new Map())
    tallies.set(id, { calls: 1 })
    return true
  }

  /**
   * Hands out what waits, the oldest first.
   * @param stays - metrics that are left out, and go on gathering in their minute
   */
  take (stays: { has (metric: string): boolean } = new Set()): Group[] {
    const [staying, groups] = [[] as Group[], [] as Group[]]
    for (const group of this.#sealed) (stays.has(group.metric) ? staying : groups).push(group)
    this.#sealed = staying
    for (const [metric, tallies] of this.#open) {
      if (stays.has(metric)) continue
      groups.push({ metric, minuteMs: this.#minuteMs, tallies })
      this.#open.delete(metric)
    }
    for (const { tallies } of groups) this.#waiting -= tallies.size
    return groups
  }

  /** Gives back the place of entries that were taken. */
  release (entries: number): void {
    this.#size -= entries
  }

  #turn (minuteMs: number): void {
    for (const [metric, tallies] of this.#open) this.#sealed.push({ metric, minuteMs: this.#minuteMs, tallies })
    if (this.#open.size > 0) this.#open = new Map()
    this.#minuteMs = minuteMs
  }
}
