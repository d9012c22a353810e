import type { Filled, Filler } from './filler.ts'
import type { Job } from './job.ts'
import type { Waiting } from './waiting.ts'

/** Loads while Redis does not answer: one run a key in this process, nothing kept. */
export class OfflineRuns {
  readonly #filler: Filler
  readonly #parts: { readonly waiting: Waiting, readonly leaseMs: number }
  readonly #runs = new Map<string, Promise<Filled>>()

  constructor (filler: Filler, parts: { readonly waiting: Waiting, readonly leaseMs: number }) {
    this.#filler = filler
    this.#parts = parts
  }

  run (job: Job): Promise<Filled> {
    const open = this.#runs.get(job.key)
    return open === undefined ? this.#begin(job) : this.#join(job, open)
  }

  /** What is being loaded is older than an invalidation made here; undefined: all of it. */
  forget (key?: string): void {
    if (key === undefined) this.#runs.clear()
    else this.#runs.delete(key)
  }

  #begin (job: Job): Promise<Filled> {
    const run = this.#filler.alone(job, undefined).finally(() => this.#end(job.key, run))
    this.#runs.set(job.key, run)
    return run
  }

  async #join (job: Job, run: Promise<Filled>): Promise<Filled> {
    const { waiting, leaseMs } = this.#parts
    job.onElsewhere?.()
    if (await waiting.ends(run, leaseMs)) return run
    // As with a lease, nobody waits longer: that run may never end.
    this.#end(job.key, run)
    return this.#filler.alone(job, undefined)
  }

  #end (key: string, run: Promise<Filled>): void {
    if (this.#runs.get(key) === run) this.#runs.delete(key)
  }
}
