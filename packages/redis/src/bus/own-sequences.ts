import { LRUCache } from 'lru-cache'

/**
 * The sequences of what this instance publishes. A topic that is forgotten, being one of too many, begins anew, which its
 * listeners take for a gap: they are told of a loss that was none, never the other way round.
 */
export class OwnSequences {
  readonly #last = new LRUCache<string, number>({ max: 10_000 })

  /** The sequence of the next message; it is taken by `used` only, so that a message that cannot be written leaves no hole. */
  next (topic: string): number {
    return (this.#last.get(topic) ?? 0) + 1
  }

  used (topic: string, sequence: number): void {
    this.#last.set(topic, sequence)
  }
}
