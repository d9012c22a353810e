import type { Clock, LinkError } from '@respite/redis'
import { setImmediate } from 'node:timers/promises'
import { sizeMs } from './buckets.ts'
import type { EventBuffer, Group } from './buffer.ts'
import type { Identities } from './identity.ts'
import { isPermanentRefusal } from './permanent-refusal.ts'
import { Registration } from './registration.ts'
import { callsOf, makeRoom } from './room.ts'
import { type Batch, type BatchEntry, maxBatchAgeMs, type TrackingStore } from './stores/store.ts'

// One script counts so many in well under 10 ms of the server's time.
const batchEntries = 256
// What was offered keeps its place until the store answers: of a small buffer it must not be all.
const partOffered = 1 / 16

// Making identities costs some microseconds each: the event loop is let go on after so many.
const entriesATurn = 16
const maxBackoffMs = 1_000
// Each call may take the link's deadline: a slow store must not keep an app of many metrics from closing.
const closeWithinMs = 5_000

/** Why events were not counted. */
export type DropReason = 'buffer full' | 'too old' | 'refused by the store' | 'closed'

interface Pending extends Batch {
  readonly entries: BatchEntry[]
  readonly madeMs: number
}

export interface FlusherOptions {
  buffer: EventBuffer
  store: TrackingStore
  identities: Identities
  clock: Clock
  /** This process' name. */
  origin: string
  /** Longest time an entry waits before it is offered to the store. */
  flushEveryMs: number
  /** Told of events that will not be counted. */
  onDrop: (events: number, reason: DropReason, error?: unknown) => void
}

/** Carries events from the buffer to the store: by time, by size, when asked, and at the end. */
export class Flusher {
  readonly #options: FlusherOptions
  // Batches the store does not have yet, by metric and in order; sent again as they are.
  readonly #pending = new Map<string, Pending[]>()
  readonly #sequences = new Map<string, number>()
  readonly #registration: Registration
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failures = 0
  #closed = false
  /** When nothing is offered any more, by the monotonic clock. */
  #endsAt = Infinity

  constructor (options: FlusherOptions) {
    this.#options = options
    this.#registration = new Registration(options.store, options.clock)
  }

  /** Notes a metric before it is counted, so that other processes find what this one may have; tried again where it fails. */
  declare (metric: string): void {
    const first = this.#registration.complete
    this.#registration.add(metric)
    // Those of all routes in one go.
    if (first) queueMicrotask(() => { this.#note() })
  }

  /** To be called after an entry was added to the buffer. */
  added (): void {
    // While the store fails, the next attempt is due when it is due, whatever comes.
    if (this.#failures === 0) this.#timer ??= this.#arm(this.#options.flushEveryMs)
    if (this.#options.buffer.waiting === batchEntries && this.#failures === 0) queueMicrotask(() => { this.flush() })
  }

  /** Makes room in the full buffer for a metric that holds less than its share of it; false when there is none. */
  makeRoom (metric: string): boolean {
    const { buffer, onDrop } = this.#options
    const lost = makeRoom(metric, buffer, this.#pending)
    if (lost > 0) onDrop(lost, 'buffer full')
    return lost > 0
  }

  /** The store is back: what waits need not wait for the next attempt. */
  retry (): void {
    if (this.#failures > 0 || !this.#registration.complete) this.flush()
  }

  /** Resolves when all that was added before has been offered to the store; it never rejects. */
  flush (): Promise<void> {
    if (this.#running === undefined) {
      this.#running = this.#run().finally(() => { this.#running = undefined })
      return this.#running
    }
    this.#next ??= this.#running.then(() => {
      this.#next = undefined
      return this.flush()
    })
    return this.#next
  }

  /** Flushes for the last time, for some seconds at most; what the store does not take now is dropped. */
  async close (): Promise<void> {
    this.#closed = true
    this.#endsAt = this.#options.clock.monotonicMs() + closeWithinMs
    await this.flush()
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { buffer, onDrop } = this.#options
    let events = 0
    for (const { metric, entries } of buffer.shares()) events += buffer.giveUp(metric, entries)
    for (const [metric, batches] of this.#pending) {
      for (const { entries } of batches) {
        events += callsOf(entries)
        buffer.release(metric, entries.length)
      }
    }
    this.#pending.clear()
    if (events > 0) onDrop(events, 'closed')
  }

  #arm (afterMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, afterMs).unref()
  }

  #again (afterMs: number): void {
    clearTimeout(this.#timer)
    this.#timer = this.#arm(afterMs)
  }

  async #note (): Promise<void> {
    if (this.#closed) return
    await this.#registration.note()
    if (!this.#registration.complete && !this.#closed) this.#timer ??= this.#arm(maxBackoffMs)
  }

  // A metric with batches that the store did not take waits behind them; the others go on.
  async #run (): Promise<void> {
    const { buffer } = this.#options
    const repeats = this.#pending.size > 0
    await this.#prepare(buffer.take(this.#pending))
    await this.#offer([...this.#pending.keys()])
    if (repeats && buffer.waiting > 0) {
      const stuck = new Set(this.#pending.keys())
      await this.#prepare(buffer.take(stuck))
      await this.#offer(Array.from(this.#pending.keys()).filter(metric => !stuck.has(metric)))
    }
    const done = this.#pending.size === 0 && this.#registration.complete
    this.#failures = done ? 0 : this.#failures + 1
    if (!done) this.#again(Math.min(maxBackoffMs, this.#options.flushEveryMs * 2 ** Math.min(this.#failures, 10)))
    else if (buffer.waiting > 0) this.#timer ??= this.#arm(this.#options.flushEveryMs)
  }

  async #prepare (groups: readonly Group[]): Promise<void> {
    const { identities, clock, origin, buffer } = this.#options
    const full = Math.min(batchEntries, Math.ceil(buffer.maxEntries * partOffered))
    for (const { metric, minuteMs, tallies } of groups) {
      let entries: BatchEntry[] = []
      let batches = this.#pending.get(metric)
      if (batches === undefined) this.#pending.set(metric, batches = [])
      const closeBatch = () => {
        const sequence = (this.#sequences.get(metric) ?? 0) + 1
        this.#sequences.set(metric, sequence)
        batches.push({ metric, minuteMs, origin, sequence, keyId: identities.keyId, scheme: identities.scheme, entries, madeMs: clock.monotonicMs() })
        entries = []
      }
      for (const [id, { calls }] of tallies) {
        if (entries.length % entriesATurn === entriesATurn - 1) await setImmediate()
        const { keyed, member } = identities.of(id)
        entries.push({ keyed, member, calls })
        if (entries.length === full) closeBatch()
      }
      if (entries.length > 0) closeBatch()
    }
  }

  // A metric must be findable before anything is counted for it; those that are need not wait for those that are not.
  async #offer (metrics: readonly string[]): Promise<void> {
    const known = metrics.filter(metric => this.#registration.has(metric))
    const fresh = metrics.filter(metric => !this.#registration.has(metric))
    for (const metric of fresh) this.#registration.add(metric)
    await Promise.all([
      this.#drain(known),
      this.#registration.renew(known),
      this.#registration.note().then(() => this.#drain(fresh.filter(metric => this.#registration.has(metric))))
    ])
  }

  // All metrics at once, so that they leave in one write.
  async #drain (metrics: readonly string[]): Promise<void> {
    await Promise.all(metrics.map(async metric => {
      if (await this.#send(this.#pending.get(metric)!)) this.#pending.delete(metric)
    }))
  }

  // False when the store did not take everything.
  async #send (batches: Pending[]): Promise<boolean> {
    const { store, clock, onDrop, buffer } = this.#options
    for (let batch; (batch = batches[0]) !== undefined;) {
      if (clock.monotonicMs() >= this.#endsAt) return false
      if (this.#isTooOld(batch)) {
        onDrop(callsOf(batch.entries), 'too old')
      } else {
        try {
          await store.apply(batch)
        } catch (error) {
          // It may have been counted all the same: it is sent again as it is, and the store knows it by its sequence.
          if (!isPermanentRefusal(error as LinkError)) return false
          onDrop(callsOf(batch.entries), 'refused by the store', error)
        }
      }
      batches.shift()
      buffer.release(batch.metric, batch.entries.length)
    }
    return true
  }

  // By when it was first sent nobody may know any more whether it was counted; by when it was seen, whom it must leave out.
  #isTooOld ({ madeMs, minuteMs }: Pending): boolean {
    const { clock } = this.#options
    return clock.monotonicMs() - madeMs > maxBatchAgeMs || clock.wallMs() - minuteMs > maxBatchAgeMs + sizeMs.minute
  }
}
