import type { Clock } from '../clock.ts'

/** Something that must be over in time. */
export interface Pending {
  dueMs: number
  over: boolean
  /** The time has come and it is not over. */
  expire (): void
}

/**
 * All calls with one deadline, in the order in which they fall due: one timer for them all. When it rings, answers that
 * have arrived are taken first, so that a pause of this process is nobody's time-out.
 */
export class Deadlines {
  readonly deadlineMs: number
  readonly #clock: Clock
  readonly #onExpired: (lateMs: number) => void
  #queue: Pending[] = []
  #head = 0
  #timer: NodeJS.Timeout | undefined
  #closed = false

  /** @param onExpired - once for all that expire together, with how late this process was itself */
  constructor (deadlineMs: number, clock: Clock, onExpired: (lateMs: number) => void) {
    this.deadlineMs = deadlineMs
    this.#clock = clock
    this.#onExpired = onExpired
  }

  add (pending: Pending, nowMs: number): void {
    pending.dueMs = nowMs + this.deadlineMs
    this.#skipOver()
    this.#queue.push(pending)
    this.#timer ??= this.#ring(pending.dueMs, nowMs)
  }

  /** Nothing will be added any more. Whatever still waits expires in time, but the process does not live on for it. */
  close (): void {
    this.#closed = true
    this.#timer?.unref()
  }

  #ring (atMs: number, nowMs: number): NodeJS.Timeout {
    // Two turns: what was asked just before a pause is written in the first, and its answer read before the second.
    const timer = setTimeout(() => { setImmediate(() => setImmediate(() => this.#sweep(atMs))) }, Math.max(1, Math.ceil(atMs - nowMs)))
    return this.#closed ? timer.unref() : timer
  }

  #sweep (askedForMs: number): void {
    const nowMs = this.#clock.monotonicMs()
    let expired = 0
    for (this.#skipOver(); this.#head < this.#queue.length && this.#queue[this.#head]!.dueMs <= nowMs; this.#skipOver()) {
      expired++
      this.#queue[this.#head]!.over = true
      this.#queue[this.#head++]!.expire()
    }
    const next = this.#queue[this.#head]
    this.#timer = next === undefined ? undefined : this.#ring(next.dueMs, nowMs)
    if (expired > 0) this.#onExpired(nowMs - askedForMs)
  }

  // With a long deadline, what is answered must not wait in the queue until then.
  #skipOver (): void {
    while (this.#head < this.#queue.length && this.#queue[this.#head]!.over) this.#head++
    if (this.#head < 1_024 && this.#head < this.#queue.length) return
    this.#queue = this.#queue.slice(this.#head)
    this.#head = 0
  }
}
