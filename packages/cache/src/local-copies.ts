import { LRUCache } from 'lru-cache'
import type { Clock, Invalidations } from '@respite/redis'
import type { Answer } from './answer.ts'
import type { Pattern } from './pattern.ts'

/** A value kept in this process. */
export interface LocalCopy {
  readonly answer: Answer
  /** The tags it carries, with the nonces they had. */
  readonly tags: ReadonlyMap<string, string>
  /** By the monotonic clock. */
  readonly endsAt: number
  /** Until when it is fresh, by the monotonic clock; `endsAt` may be earlier. */
  readonly softAt: number
  /** Id of the entry, and what its fill took. */
  readonly id: string
  readonly costMs: number
  /** When it was stored, by the monotonic clock. */
  readonly bornAt: number
  readonly bytes: number
}

/** What bounds the local copies of a namespace. */
export interface LocalBounds {
  readonly maxItems: number
  readonly maxBytes: number
  readonly maxAgeMs: number
  onEvict (key: string): void
}

/** Tags whose nonce is known; one that falls out costs a miss. */
const maxTags = 10_000

/**
 * The first tier: one namespace's values in this process, used only while the server promises to say when they end.
 * A change of the namespace's nonce empties it, so that its entries need not be compared with it.
 */
export class LocalCopies {
  readonly #invalidations: Invalidations
  readonly #clock: Clock
  readonly #maxAgeMs: number
  readonly #copies: LRUCache<string, LocalCopy>
  readonly #tags = new LRUCache<string, string>({ max: maxTags })
  evictions = 0

  constructor (invalidations: Invalidations, clock: Clock, bounds: LocalBounds) {
    this.#invalidations = invalidations
    this.#clock = clock
    this.#maxAgeMs = bounds.maxAgeMs
    this.#copies = new LRUCache({
      max: bounds.maxItems,
      maxSize: bounds.maxBytes,
      sizeCalculation: copy => copy.bytes,
      dispose: (_, key, reason) => {
        if (reason !== 'evict') return
        this.evictions++
        bounds.onEvict(key)
      }
    })
  }

  get size (): number {
    return this.#copies.size
  }

  get bytes (): number {
    return this.#copies.calculatedSize
  }

  find (key: string): LocalCopy | undefined {
    if (!this.#invalidations.armed) return undefined
    const copy = this.#copies.get(key)
    if (copy === undefined) return undefined
    if (copy.endsAt <= this.#clock.monotonicMs()) {
      this.#copies.delete(key)
      return undefined
    }
    for (const [tag, nonce] of copy.tags) if (this.#tags.get(tag) !== nonce) return undefined
    return copy
  }

  /** @param askedAt - when the question was sent, by the monotonic clock: what the server reports is counted from there */
  keep (key: string, copy: Omit<LocalCopy, 'endsAt' | 'softAt'> & { askedAt: number, leftMs: number }): void {
    const { answer, tags, id, costMs, bornAt, askedAt, leftMs } = copy
    const bytes = copy.bytes + 2 * key.length + 200
    this.#copies.set(key, { answer, tags, bytes, id, costMs, bornAt, softAt: askedAt + leftMs, endsAt: askedAt + Math.min(leftMs, this.#maxAgeMs) })
  }

  keepTag (tag: string, nonce: string): void {
    this.#tags.set(tag, nonce)
  }

  delete (key: string): void {
    this.#copies.delete(key)
  }

  deleteTag (tag: string): void {
    this.#tags.delete(tag)
  }

  deleteMatching (pattern: Pattern): void {
    for (const key of [...this.#copies.keys()]) if (pattern.test(key)) this.#copies.delete(key)
  }

  clear (): void {
    this.#copies.clear()
    this.#tags.clear()
  }
}
