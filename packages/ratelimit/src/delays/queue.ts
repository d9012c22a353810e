import type { Ask, Ruling } from '../limiter.ts'

/** Runs something after so many ms; what it returns prevents that. */
export type After = (ms: number, run: () => void) => () => void

/** A request that waits for room. */
export interface Waiter {
  readonly asks: readonly Ask[]
  /** It waits no longer than this, by the monotonic clock. */
  readonly deadlineMs: number
  /** Units of the queue's limit. */
  readonly cost: number
  /** Called once, with the ruling with which it leaves the queue. */
  readonly settle: (ruling: Ruling) => void
  /** Stops the timer of `deadlineMs`. */
  cancelDeadline: () => void
}

/** What a queue works with. */
export interface QueueParts {
  readonly ask: (asks: readonly Ask[], callback: (ruling: Ruling) => void) => void
  readonly giveBack: (asks: readonly Ask[], ruling: Ruling) => void
  readonly nowMs: () => number
  readonly after: After
  /** False: whoever is refused is told so. */
  readonly mayWait: () => boolean
  /** Nobody is left. */
  readonly onEmpty: () => void
}

/** How long a question that was refused is to wait, in ms; undefined where a limit that does not delay has refused it, or none ever admits it. */
export function waitOf (asks: readonly Ask[], { answers }: Ruling): number | undefined {
  let longestMs = 0
  for (let i = 0; i < asks.length; i++) {
    const { waitMs } = answers[i]!
    if (waitMs > 0 && asks[i]!.limit.delay === undefined) return undefined
    longestMs = Math.max(longestMs, waitMs)
  }
  return longestMs === Infinity ? undefined : longestMs
}

/** Those who wait for one limit and subject, first in, first out: the first alone asks, so they cost a call an admission. */
export class Queue {
  readonly #parts: QueueParts
  readonly #waiters: Waiter[] = []
  /** When the first is to ask, by the monotonic clock. */
  #dueMs = 0
  #cancelDue: () => void = () => {}
  #asking: Waiter | undefined

  constructor (parts: QueueParts) {
    this.#parts = parts
  }

  /** When one who comes now may expect room, by the monotonic clock, if nobody else takes it: a unit comes back each W/L. */
  expectedMs ({ rule: { limit, windowMs }, cost }: Ask): number {
    const units = this.#waiters.slice(1).reduce((sum, waiter) => sum + waiter.cost, cost)
    return Math.max(this.#dueMs, this.#parts.nowMs()) + units * windowMs / limit
  }

  /** @param waitMs - ms until it is to ask; of the first in a queue alone */
  join (waiter: Waiter, waitMs: number): void {
    if (this.#waiters.push(waiter) === 1) this.#wait(waitMs)
  }

  /** Takes somebody out who was not ruled yet. @returns false when it has left the queue already */
  drop (waiter: Waiter): boolean {
    const index = this.#waiters.indexOf(waiter)
    if (index === -1) return false
    waiter.cancelDeadline()
    this.#waiters.splice(index, 1)
    if (this.#waiters.length === 0 && this.#asking === undefined) this.#end()
    return true
  }

  /** Whether the question of somebody is under way. */
  isAsking (waiter: Waiter): boolean { return this.#asking === waiter }

  /** Lets the first ask if it is its time: it goes before whoever comes now. */
  askIfDue (): void {
    if (this.#asking === undefined && this.#parts.nowMs() >= this.#dueMs) this.#ask()
  }

  waiters (): Waiter[] { return [...this.#waiters] }

  #wait (ms: number): void {
    this.#dueMs = this.#parts.nowMs() + ms
    this.#cancelDue = this.#parts.after(ms, () => this.#ask())
  }

  #ask (): void {
    this.#cancelDue()
    const first = this.#waiters[0]
    if (this.#asking !== undefined || first === undefined) return
    this.#asking = first
    this.#parts.ask(first.asks, ruling => {
      this.#asking = undefined
      const isThere = this.#waiters[0] === first
      const waitMs = ruling.decision === 'refused' && this.#parts.mayWait() ? waitOf(first.asks, ruling) : undefined
      if (isThere && waitMs !== undefined && this.#parts.nowMs() + waitMs <= first.deadlineMs) {
        this.#wait(waitMs)
        return
      }
      if (isThere) {
        this.#waiters.shift()
        first.cancelDeadline()
      } else this.#parts.giveBack(first.asks, ruling)
      // Not from here: an answer of memory comes at once, and a long queue would be a deep stack.
      if (this.#waiters.length > 0) queueMicrotask(() => this.#ask())
      else this.#end()
      if (isThere) first.settle(ruling)
    })
  }

  #end (): void {
    this.#cancelDue()
    this.#parts.onEmpty()
  }
}
