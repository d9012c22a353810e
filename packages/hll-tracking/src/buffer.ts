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

interface OpenGroup extends Group {
  readonly tallies: Map<string, Tally>
}

/** The places of one metric. */
interface Holding {
  entries: number
  /** Those of them that were taken and not yet released. */
  taken: number
  /** What is seen in the minute that is running. */
  open: Map<string, Tally> | undefined
}

/** How much of the buffer one metric has. */
export interface Share {
  readonly metric: string
  readonly entries: number
  readonly waiting: number
}

/**
 * Events on their way to the store: one entry for each metric, minute and id, however often it was seen.
 * Entries keep their place until they are released, which is when the store has them.
 */
export class EventBuffer {
  /** Entries it holds at most. */
  readonly maxEntries: number
  #size = 0
  #waiting = 0
  #minuteMs = Number.NaN
  // Of metrics that have entries, and of no others.
  readonly #holdings = new Map<string, Holding>()
  #sealed: OpenGroup[] = []

  /** @param maxEntries - entries it holds at most */
  constructor (maxEntries: number) {
    this.maxEntries = maxEntries
  }

  /** Entries, those that were taken and not yet released included. */
  get size (): number {
    return this.#size
  }

  /** Entries that wait to be taken. */
  get waiting (): number {
    return this.#waiting
  }

  /** Metrics that have entries. */
  get metrics (): number {
    return this.#holdings.size
  }

  /** Entries of a metric, those that were taken and not yet released included. */
  entriesOf (metric: string): number {
    return this.#holdings.get(metric)?.entries ?? 0
  }

  /** Notes an event in the minute of its own time. False when there is no place for it. */
  add (metric: string, id: string, nowMs: number): boolean {
    const minuteMs = nowMs - nowMs % sizeMs.minute
    if (minuteMs !== this.#minuteMs) this.#turn(minuteMs)
    let holding = this.#holdings.get(metric)
    const tally = holding?.open?.get(id)
    if (tally !== undefined) {
      tally.calls++
      return true
    }
    if (this.#size >= this.maxEntries) return false
    this.#size++
    this.#waiting++
    if (holding === undefined) this.#holdings.set(metric, holding = { entries: 0, taken: 0, open: undefined })
    holding.entries++
    holding.open ??= new Map()
    holding.open.set(id, { calls: 1 })
    return true
  }

  /**
   * Hands out what waits, the oldest first.
   * @param stays - metrics that are left out, and go on gathering in their minute
   */
  take (stays: { has (metric: string): boolean } = new Set()): Group[] {
    const [staying, groups] = [[] as OpenGroup[], [] as Group[]]
    for (const group of this.#sealed) (stays.has(group.metric) ? staying : groups).push(group)
    this.#sealed = staying
    for (const [metric, holding] of this.#holdings) {
      if (holding.open === undefined || stays.has(metric)) continue
      groups.push({ metric, minuteMs: this.#minuteMs, tallies: holding.open })
      holding.open = undefined
    }
    for (const { metric, tallies } of groups) {
      this.#waiting -= tallies.size
      this.#holdings.get(metric)!.taken += tallies.size
    }
    return groups
  }

  /** Gives back the places of entries of a metric that were taken. */
  release (metric: string, entries: number): void {
    const holding = this.#holdings.get(metric)!
    holding.taken -= entries
    this.#free(metric, holding, entries)
  }

  /**
   * Gives up what waits of a metric, the oldest first.
   * @param entries - how many at most
   * @returns calls that are lost with them
   */
  giveUp (metric: string, entries: number): number {
    const holding = this.#holdings.get(metric)!
    const waiting = this.#sealed.filter(group => group.metric === metric).map(({ tallies }) => tallies)
    if (holding.open !== undefined) waiting.push(holding.open)
    let [left, calls] = [entries, 0]
    for (const tallies of waiting) {
      for (const [id, tally] of tallies) {
        if (left === 0) break
        tallies.delete(id)
        calls += tally.calls
        left--
      }
    }
    if (holding.open?.size === 0) holding.open = undefined
    this.#sealed = this.#sealed.filter(({ tallies }) => tallies.size > 0)
    this.#waiting -= entries - left
    this.#free(metric, holding, entries - left)
    return calls
  }

  /** The share of each metric that has entries. */
  shares (): Share[] {
    return Array.from(this.#holdings, ([metric, { entries, taken }]) => ({ metric, entries, waiting: entries - taken }))
  }

  #free (metric: string, holding: Holding, entries: number): void {
    this.#size -= entries
    holding.entries -= entries
    if (holding.entries === 0) this.#holdings.delete(metric)
  }

  #turn (minuteMs: number): void {
    for (const [metric, holding] of this.#holdings) {
      if (holding.open !== undefined) this.#sealed.push({ metric, minuteMs: this.#minuteMs, tallies: holding.open })
      holding.open = undefined
    }
    this.#minuteMs = minuteMs
  }
}
