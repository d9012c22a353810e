import type { Answer } from './answer.ts'
import { storedOf } from './codecs/body.ts'
import { type Produced, type RunParts, runFactory } from './factory-run.ts'
import type { Job } from './job.ts'
import type { Journal } from './journal.ts'
import { encodeRecord } from './record.ts'
import { withAdded } from './settle.ts'
import type { Snapshot } from './snapshot.ts'
import type { Store, Tick, Versions } from './stores/store.ts'

/** What a filler works with. */
export interface FillerParts extends RunParts {
  readonly store: Store
  readonly journal: Journal
  /** Told of what fails behind a caller's back. */
  readonly onHidden: (what: string, error: unknown) => void
}

/** What a fill is made under. */
export interface Fill {
  readonly token: string
  readonly snapshot: Snapshot
  /** The clock of bumps as it stood before; undefined where it was not asked for. */
  readonly clock: Tick | undefined
  readonly stale: Answer | undefined
}

/** What became of a fill. */
export interface Filled {
  readonly answer: Answer | undefined
  readonly softMs: number
  /** Whether the factory has added tags: what it gave is then for those alone who asked before it ran. */
  readonly added: boolean
}

/** Runs factories, and stores what they give. */
export class Filler {
  readonly #parts: FillerParts

  constructor (parts: FillerParts) {
    this.#parts = parts
  }

  /** The nonces as they were when the store was asked; those that were missing, new. */
  async snapshot ({ tags, l2TimeoutMs }: Job, versions: Versions): Promise<Snapshot> {
    const missing = tags.filter(tag => (versions.tags.get(tag) ?? null) === null)
    const minted = missing.length === 0 && versions.ns !== null ? undefined : await this.#parts.store.mint(missing, versions.ns === null, l2TimeoutMs)
    return {
      ns: versions.ns ?? minted!.ns!,
      tags: new Map(tags.map(tag => [tag, versions.tags.get(tag) ?? minted!.tags.get(tag)!]))
    }
  }

  /** Fills under a lease; whatever becomes of the store, the caller gets the value. */
  async fill (job: Job, fill: Fill): Promise<Filled> {
    const { journal, onHidden } = this.#parts
    let produced: Produced
    try {
      produced = await runFactory(job, fill.stale, this.#parts)
    } catch (error) {
      // Waited for, so that who calls again upon the error does not meet the lease of this run.
      await this.#end(job, fill.token, { how: 'F' }).catch(lost => onHidden('done', lost))
      throw error
    }
    const { answer, softMs, tags, costMs } = produced
    journal.meters.took('fill', 'factory', costMs)
    if (produced.body === undefined) this.hide('done', this.#end(job, fill.token, { how: 'S', costMs }))
    else await this.#store(job, fill, produced).catch(error => this.#unstored(job, costMs, error))
    return { answer, softMs, added: tags.length > 0 }
  }

  /** Without a lease: nothing is stored. */
  async alone (job: Job, stale: Answer | undefined): Promise<Filled> {
    const { journal } = this.#parts
    try {
      const { answer, softMs, costMs, tags } = await runFactory(job, stale, this.#parts)
      journal.filled(job.key, 'unstored', { costMs })
      return { answer, softMs, added: tags.length > 0 }
    } catch (error) {
      journal.filled(job.key, 'failed')
      throw error
    }
  }

  hide (what: string, work: Promise<unknown>): void {
    work.catch(error => this.#parts.onHidden(what, error))
  }

  async #store (job: Job, fill: Fill, { body, softMs, costMs, tags: added }: Produced): Promise<void> {
    const { store, journal, writing } = this.#parts
    const { token } = fill
    const snapshot = await this.#completed(fill, added)
    // Waited for, so that who waited for this run learns that it has ended without an entry.
    if (snapshot === undefined) return this.#end(job, token, { how: 'S', costMs })
    const hardMs = softMs + Math.max(job.staleMs, job.errorMs)
    const record = encodeRecord({ id: token, snapshot, ttlMs: softMs, costMs, ...await storedOf(body!, writing.compression) })
    const stored = await store.fill(job.key, token, { record, softMs, hardMs, withinMs: job.l2TimeoutMs })
    journal.filled(job.key, stored ? 'stored' : 'refused', stored ? { costMs, stored: { ttlMs: softMs, bytes: record.length } } : { costMs })
    if (stored) this.hide('keep tags', store.keep([...snapshot.tags.keys()], hardMs))
  }

  async #completed ({ snapshot, clock }: Fill, added: readonly string[]): Promise<Snapshot | undefined> {
    if (added.length === 0) return snapshot
    if (clock === undefined) return undefined
    return withAdded(snapshot, added, { store: this.#parts.store, clock, behind: (what, work) => this.hide(what, work) })
  }

  #unstored (job: Job, costMs: number, error: unknown): void {
    this.#parts.journal.filled(job.key, 'unstored', { costMs })
    this.#parts.onHidden('fill', error)
  }

  #end (job: Job, token: string, { how, ...cost }: { how: 'F' | 'S', costMs?: number }): Promise<void> {
    this.#parts.journal.filled(job.key, how === 'F' ? 'failed' : 'skipped', cost)
    return this.#parts.store.done(job.key, token, how)
  }
}
