import type { Clock, CounterSeries } from '@respite/redis'
import type { FastifyBaseLogger } from 'fastify'
import type { Copies, Held } from './copies.ts'
import { FST_RSP_SESSION_COPY_BUSY } from './errors.ts'
import { FlushQueue } from './flush-queue.ts'
import type { ResolvedOptions } from './resolved-options.ts'
import type { Fields, SaveRequest, SaveResult, SessionStore } from './stores/store.ts'
import type { Trust } from './trust.ts'
import { withinDeadline } from './within-deadline.ts'

/** What the flusher works with. */
export interface FlusherParts {
  readonly store: SessionStore
  readonly copies: Copies
  readonly trust: Trust
  readonly clock: Clock
  readonly log: FastifyBaseLogger
  readonly options: Pick<ResolvedOptions, 'data' | 'flushEvery' | 'durableDeadline' | 'maxDataBytes' | 'conflict'>
  readonly counts: { readonly flushed: CounterSeries, readonly failed: CounterSeries }
  /** Work that nobody waits for. */
  readonly inBackground: (work: Promise<unknown>) => Promise<unknown>
}

type Place = Pick<Held, 'tag' | 'hash'>
type Delta = { readonly set: Fields, readonly deleted: readonly string[], readonly loaded: number, readonly conflict?: SaveRequest['conflict'] }

// Newer changes may come between a flush and the drop of its copy; after so many the row stays pending, and a healer tries again.
const maxAttempts = 5
/** Marks of one copy from which on it is flushed at once, whatever the mode: also names of deleted fields take room. */
const maxMarks = 1_000

/**
 * Saves that reach Redis before the row (`data: 'behind'`), or Redis alone (`'redis'`). The copy itself says what its row does not
 * have: a process that dies takes no knowledge with it, and whoever meets the marks next flushes them.
 */
export class Flusher {
  readonly #parts: FlusherParts
  readonly #queue: FlushQueue
  // By hash: one flush of a copy at a time.
  readonly #underWay = new Map<string, Promise<unknown>>()

  constructor (parts: FlusherParts) {
    this.#parts = parts
    this.#queue = new FlushQueue(place => this.flush(place), { everyMs: parts.options.flushEvery, clock: parts.clock, log: parts.log })
  }

  /** Into Redis if its copy may be believed; else into the row. */
  async save (place: Place, delta: Delta): Promise<SaveResult> {
    const { copies, trust, options: { maxDataBytes, conflict: usual }, inBackground } = this.#parts
    const { conflict = usual } = delta
    const marks = trust.believes(place.hash)
      // An error: it is not known whether Redis has it. The row gets it then, which wins over a copy that does not know of it.
      ? await copies.keep(place, delta, { all: conflict === 'last-wins', maxBytes: maxDataBytes }).catch(rethrowTooLarge)
      : undefined
    if (marks === undefined) return await this.#through(place, { ...delta, conflict })
    if (marks > maxMarks) inBackground(this.flush(place))
    else this.note(place)
    return { outcome: 'saved', hash: place.hash, version: delta.loaded }
  }

  /** Sessions that wait, and for how long one of them has at most. */
  get waiting (): { readonly sessions: number, readonly oldestMs: number } {
    return { sessions: this.#queue.size, oldestMs: this.#queue.oldestMs }
  }

  /** This copy has changes that its row does not: they are flushed within `flushEvery`, unless somebody else has done so. */
  note (place: Place): void {
    if (this.#parts.options.data === 'behind') this.#queue.add(place)
  }

  /** Of an instance of mode through: one of another mode has left changes in this copy, which come before any of our own. */
  flushInBackground (place: Place): void {
    if (this.#underWay.has(place.hash)) return
    this.#underWay.set(place.hash, this.#parts.inBackground(this.flush(place).finally(() => this.#underWay.delete(place.hash))))
  }

  /** Resolves when what `flushInBackground` found in a copy is in its row, or could not be brought there. */
  async whenFlushed (hash: string): Promise<void> {
    await this.#underWay.get(hash)
  }

  /** A touch writes the row anyway. */
  async flushNoted (place: Place): Promise<void> {
    if (!this.#queue.take(place.hash)) return
    try {
      await this.flush(place)
    } catch (error) {
      this.note(place)
      throw error
    }
  }

  /** Brings to the row what the copy alone has. */
  async flush (place: Place): Promise<void> {
    await this.#counted(this.#bring(place, false))
  }

  /**
   * The same, and the copy goes.
   * @throws FST_RSP_SESSION_COPY_BUSY, FST_RSP_SESSION_STORE_TIMEOUT, a `LinkError`
   */
  async drop (place: Place): Promise<void> {
    await this.#counted(this.#bring(place, true).then(done => { if (!done) throw new FST_RSP_SESSION_COPY_BUSY() }))
  }

  /** Flushes what is noted; what cannot be is left to the next process that meets it. */
  close (): Promise<void> {
    return this.#queue.close()
  }

  async #through (place: Place, delta: Delta & { conflict: SaveRequest['conflict'] }): Promise<SaveResult> {
    const { store, trust, options: { durableDeadline, maxDataBytes } } = this.#parts
    const result = await withinDeadline(store.save({ hash: place.hash, ...delta, maxBytes: maxDataBytes, through: true }), durableDeadline, 'save')
    if (result.outcome !== 'saved') return result
    const saved = { tag: place.tag, hash: result.hash }
    try {
      await this.drop(saved)
    } catch {
      // No process believes the copy until one has brought the two together.
      await trust.lags(saved)
    }
    return result
  }

  async #counted (work: Promise<unknown>): Promise<void> {
    try {
      await work
    } catch (error) {
      this.#parts.counts.failed.inc()
      throw error
    }
  }

  /** @returns false if the copy is to go, and has newer changes each time */
  async #bring (place: Place, drop: boolean): Promise<boolean> {
    const { store, copies, options: { durableDeadline } } = this.#parts
    for (let attempt = 0; attempt < maxAttempts; attempt++) {
      const unsaved = await copies.unsaved(place)
      if (unsaved === undefined && !drop) return true
      const result = unsaved && await withinDeadline(store.flush({ hash: place.hash, ...unsaved }), durableDeadline, 'flush')
      if (result?.outcome === 'saved') this.#parts.counts.flushed.inc()
      // It has ended, and its data with it; whoever ended it sees to the copy.
      if (result?.outcome === 'gone') return true
      const goes = drop || result!.stale || result!.hash !== place.hash
      if (await copies.settle(place, { seq: unsaved?.seq ?? 0, version: result?.version ?? 0, drop: goes })) return true
    }
    return false
  }
}

function rethrowTooLarge (error: unknown): undefined {
  if ((error as { code?: string }).code === 'FST_RSP_SESSION_TOO_LARGE') throw error
  return undefined
}
