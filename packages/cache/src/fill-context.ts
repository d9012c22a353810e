import type { Duration } from '@respite/redis'
import type { Answer } from './answer.ts'
import type { Job } from './job.ts'
import { checkedTags } from './tags.ts'
import { ttlMs } from './ttl.ts'

/** What a factory is given. */
export interface FillContext {
  /** How long this value is fresh, where only the value tells. */
  readonly ttl: (ttl: Duration) => void
  /**
   * Adds tags, where only the value tells them. A fill whose new tag may have been invalidated since before the factory is not stored.
   * For factories that name their parameter.
   */
  readonly tag: (...tags: string[]) => void
  /** The value is answered and not stored. */
  readonly skip: () => void
  /** The value that is refreshed, or undefined. */
  readonly stale: unknown
  /** Aborted when `timeouts.hard` has passed. */
  readonly signal: AbortSignal
}

/** One run's context, and what the factory has said to it. */
export class Filling implements FillContext {
  readonly #job: Job
  readonly #stale: Answer | undefined
  // Made when asked for: most factories do not.
  #controller: AbortController | undefined
  ttlMs: number | undefined
  tags: readonly string[] = []
  skipped = false

  constructor (job: Job, stale: Answer | undefined) {
    this.#job = job
    this.#stale = stale
  }

  // Properties, not methods: factories take their context apart.
  readonly ttl = (ttl: Duration): void => { this.ttlMs = ttlMs(ttl) }
  readonly tag = (...tags: string[]): void => {
    const { tags: declared } = this.#job
    const all = checkedTags([...declared, ...this.tags, ...checkedTags(tags)])
    this.tags = all.filter(tag => !declared.includes(tag))
  }

  readonly skip = (): void => { this.skipped = true }

  get stale (): unknown {
    return this.#stale?.forCaller()
  }

  get signal (): AbortSignal {
    this.#controller ??= new AbortController()
    return this.#controller.signal
  }

  abort (reason: Error): void {
    this.#controller ??= new AbortController()
    this.#controller.abort(reason)
  }
}
