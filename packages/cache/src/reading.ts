import { checkedKey } from './checked-key.ts'
import type { FillContext } from './fill-context.ts'
import { type GetOrSetOptions, jobOf } from './get-or-set-options.ts'
import type { Job } from './job.ts'
import { linkErrorOnly } from './link-errors.ts'
import type { LocalCopy } from './local-copies.ts'
import type { Namespace } from './namespace.ts'
import type { OperationTimes } from './operation-times.ts'
import type { MissReason, ReadOptions, ReadReport } from './read-report.ts'
import type { Found } from './search.ts'

/** A value and how long it is fresh. */
export interface WithTtl<T> {
  value: T
  /** What is left, in whole milliseconds. */
  ttlMs: number
}

/** What reads work with. */
export interface ReadingParts {
  readonly space: Namespace
  readonly times: OperationTimes
  /** Told of what fails behind a caller's back. */
  readonly onHidden: (what: string, error: unknown) => void
}

/** A key that is read, and what gives its value where it is missing. */
interface Wanted { readonly key: string, readonly factory: (context: FillContext) => unknown, readonly options: GetOrSetOptions }

/** The ways to a value: a local copy, the store, a factory. Each read is counted once, and reported to the call that asked. */
export class Reading {
  readonly #space: Namespace
  readonly #times: OperationTimes
  readonly #onHidden: ReadingParts['onHidden']

  constructor ({ space, times, onHidden }: ReadingParts) {
    this.#space = space
    this.#times = times
    this.#onHidden = onHidden
  }

  /** What a local copy holds. */
  local (copy: LocalCopy, key: string, options: ReadOptions | undefined): unknown {
    this.#space.journal.hitL1(key)
    if (options?.onReport !== undefined) {
      const nowMs = this.#times.nowMs()
      this.#report(options, { key, source: 'l1', ageMs: nowMs - copy.bornAt, ttlLeftMs: copy.softAt - nowMs, missReason: undefined, waitedMs: 0 })
    }
    return copy.answer.forCaller()
  }

  /** What a local copy holds; by chance it is filled anew before it ends. */
  async eagerly (copy: LocalCopy, { key, factory, options }: Wanted): Promise<unknown> {
    const { id, answer, costMs, softAt } = copy
    this.#space.loader.refreshEarly(this.#jobOf(key, factory, options), { id, answer, costMs, leftMs: softAt - this.#times.nowMs() })
    return this.local(copy, key, options)
  }

  /** What the store holds, fresh; undefined while it does not answer. */
  async peek<T> (key: string, options: ReadOptions | undefined): Promise<WithTtl<T> | undefined> {
    const { reader, journal } = this.#space
    const startedAt = this.#times.nowMs()
    journal.meters.missesL1.inc()
    let missReason: MissReason = 'unavailable'
    try {
      const asked = await reader.ask(checkedKey(key), [])
      missReason = asked.missReason ?? 'absent'
      if (asked.state === 'HIT' && asked.answer !== undefined) {
        journal.hitL2(key, false)
        if (options !== undefined) this.#report(options, { key, source: 'l2', ageMs: asked.ageMs, ttlLeftMs: asked.leftMs, missReason: undefined, waitedMs: 0 })
        return { value: asked.answer.forCaller() as T, ttlMs: Math.ceil(asked.leftMs) }
      }
    } catch (error) {
      linkErrorOnly(error)
    } finally {
      this.#times.took('get', 'l2', startedAt)
    }
    journal.miss(key, missReason)
    if (options !== undefined) this.#report(options, { key, source: 'none', ageMs: undefined, ttlLeftMs: 0, missReason, waitedMs: 0 })
    return undefined
  }

  /** What the store holds, or else what the factory gives. */
  async load (key: string, { factory, onElsewhere }: Pick<Job, 'factory'> & Partial<Pick<Job, 'onElsewhere'>>, options: GetOrSetOptions): Promise<unknown> {
    const { loader, journal } = this.#space
    const startedAt = this.#times.nowMs()
    const job = this.#jobOf(key, factory, options)
    journal.meters.missesL1.inc()
    const loaded = await loader.load(onElsewhere === undefined ? job : { ...job, onElsewhere })
    this.#times.took('getOrSet', 'l2', startedAt)
    if (options.onReport !== undefined) this.#report(options, reportOf(key, loaded))
    return loaded.answer?.forCaller()
  }

  #jobOf (key: string, factory: (context: FillContext) => unknown, options: GetOrSetOptions): Job {
    return jobOf({ key: checkedKey(key), factory }, options, this.#space.settings.ttlMs)
  }

  #report ({ onReport }: ReadOptions, report: ReadReport): void {
    try {
      onReport?.(report)
    } catch (error) {
      // The read is not to fail for whoever looks on.
      this.#onHidden('onReport', error)
    }
  }
}

function reportOf (key: string, { source, ageMs, leftMs, missReason, waitedMs }: Found): ReadReport {
  return { key, source, ageMs, ttlLeftMs: source === 'stale' ? 0 : leftMs, missReason, waitedMs }
}
