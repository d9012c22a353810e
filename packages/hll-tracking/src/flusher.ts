import type { Clock, LinkError } from '@respite/redis'
import { setImmediate } from 'node:timers/promises'
import type { EventBuffer, Group } from './buffer.ts'
import type { Identities } from './identity.ts'
import type { Batch, BatchEntry, TrackingStore } from './stores/store.ts'

/** Entries of a batch: one script counts them in well under 10 ms of the server's time. */
export const batchEntries = 256

// Making identities costs some microseconds each: the event loop is let go on after so many.
const entriesATurn = 16
const maxBackoffMs = 1_000
// The store remembers a sequence for 25 hours: what is older might be counted twice.
const maxAgeMs = 24 * 3_600_000
// Names are noted again and again, for Redis may have lost them.
const registerEveryMs = 60_000
// Answers to a script that no repetition will change. Redis before 7 says ERR of all that goes wrong within a script.
const permanent = new Set(['WRONGTYPE', 'INVALIDOBJ', 'ERR'])
const transient = /\b(OOM|READONLY|LOADING|MISCONF|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/

/** Why events were not counted. */
export type DropReason = 'too old' | 'refused by the store' | 'closed'

interface Pending extends Batch {
  readonly madeMs: number
}

export interface FlusherOptions {
  buffer: EventBuffer
  store: TrackingStore
  identities: Identities
  clock: Clock
  /** This process' name. */
  origin: string
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
  readonly #registeredMs = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined
  #next: Promise<void> | undefined
  #failures = 0

  constructor (options: FlusherOptions) {
    this.#options = options
  }

  /** To be called after an entry was added to the buffer. */
  added (): void {
    this.#timer ??= this.#arm(this.#options.flushEveryMs)
    if (this.#options.buffer.waiting === batchEntries && this.#failures === 0) queueMicrotask(() => { this.flush() })
  }

  /** The store is back: what waits need not wait for the next attempt. */
  retry (): void {
    if (this.#failures > 0) this.flush()
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

  /** Flushes for the last time; what the store does not take now is dropped. */
  async close (): Promise<void> {
    await this.flush()
    clearTimeout(this.#timer)
    this.#timer = undefined
    const { buffer, onDrop } = this.#options
    let events = 0
    for (const { tallies } of buffer.take()) for (const { calls } of tallies.values()) events += calls
    for (const batches of this.#pending.values()) for (const batch of batches) events += callsOf(batch)
    this.#pending.clear()
    buffer.release(buffer.size)
    if (events > 0) onDrop(events, 'closed')
  }

  #arm (afterMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      this.#timer = undefined
      this.flush()
    }, afterMs).unref()
  }

  async #run (): Promise<void> {
    let done = await this.#register() && await this.#drain()
    if (done && this.#options.buffer.waiting > 0) {
      await this.#prepare(this.#options.buffer.take())
      done = await this.#register() && await this.#drain()
    }
    this.#failures = done ? 0 : this.#failures + 1
    if (!done) this.#timer ??= this.#arm(Math.min(maxBackoffMs, this.#options.flushEveryMs * 2 ** Math.min(this.#failures, 10)))
  }

  async #prepare (groups: readonly Group[]): Promise<void> {
    const { identities, clock, origin } = this.#options
    for (const { metric, minuteMs, tallies } of groups) {
      let entries: BatchEntry[] = []
      let batches = this.#pending.get(metric)
      if (batches === undefined) this.#pending.set(metric, batches = [])
      const close = () => {
        const sequence = (this.#sequences.get(metric) ?? 0) + 1
        this.#sequences.set(metric, sequence)
        batches.push({ metric, minuteMs, origin, sequence, keyId: identities.keyId, scheme: identities.scheme, entries, madeMs: clock.monotonicMs() })
        entries = []
      }
      for (const [id, { calls }] of tallies) {
        if (entries.length % entriesATurn === entriesATurn - 1) await setImmediate()
        const { keyed, member } = identities.of(id)
        entries.push({ keyed, member, calls })
        if (entries.length === batchEntries) close()
      }
      if (entries.length > 0) close()
    }
  }

  // A metric must be findable before anything is counted for it. False when the store does not answer.
  async #register (): Promise<boolean> {
    const { store, clock } = this.#options
    const nowMs = clock.monotonicMs()
    const due = Array.from(this.#pending.keys()).filter(metric => nowMs - (this.#registeredMs.get(metric) ?? -Infinity) >= registerEveryMs)
    try {
      if (due.length > 0) await store.register(due)
    } catch (error) {
      // Where the names are of a wrong type they will be at the next attempt as well: counts are worth more than names.
      if (!isPermanent(error as LinkError)) return false
    }
    for (const metric of due) this.#registeredMs.set(metric, nowMs)
    return true
  }

  // All metrics at once, so that they leave in one write. False when the store did not take everything.
  async #drain (): Promise<boolean> {
    const done = await Promise.all(Array.from(this.#pending, async ([metric, batches]) => {
      const empty = await this.#send(batches)
      if (empty) this.#pending.delete(metric)
      return empty
    }))
    return done.every(Boolean)
  }

  async #send (batches: Pending[]): Promise<boolean> {
    const { store, clock, onDrop, buffer } = this.#options
    for (let batch; (batch = batches[0]) !== undefined;) {
      if (clock.monotonicMs() - batch.madeMs > maxAgeMs) {
        onDrop(callsOf(batch), 'too old')
      } else {
        try {
          await store.apply(batch)
        } catch (error) {
          // It may have been counted all the same: it is sent again as it is, and the store knows it by its sequence.
          if (!isPermanent(error as LinkError)) return false
          onDrop(callsOf(batch), 'refused by the store', error)
        }
      }
      batches.shift()
      buffer.release(batch.entries.length)
    }
    return true
  }
}

const isPermanent = ({ reply, message }: LinkError) => reply !== undefined && permanent.has(reply) && !transient.test(message)

const callsOf = (batch: Batch) => batch.entries.reduce((sum, { calls }) => sum + calls, 0)
