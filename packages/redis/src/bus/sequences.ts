import { LRUCache } from 'lru-cache'

/** Origins and topics whose last sequence is remembered; the one unheard for longest is forgotten, and with it a hole it may have. */
const mostRemembered = 10_000

/** What a message's sequence says: it is the next or the first heard of, it came before, or some are missing before it. */
export type SequenceVerdict = 'next' | 'repeated' | 'hole'

/** Finds holes in the sequences of messages, a topic and an origin at a time. */
export class Sequences {
  readonly #last = new LRUCache<string, number>({ max: mostRemembered })

  heard (topic: string, origin: string, sequence: number): SequenceVerdict {
    if (origin === '' || sequence === 0) return 'next'
    const name = nameOf(origin, topic)
    const last = this.#last.get(name)
    if (last === sequence) return 'repeated'
    this.#last.set(name, sequence)
    // A lower one: the publisher has begun anew under its old name.
    return last === undefined || sequence === last + 1 ? 'next' : 'hole'
  }

  /** After a lost connection nothing is known of a topic's messages. */
  forget (topic: string): void {
    const suffix = nameOf('', topic)
    for (const name of [...this.#last.keys()]) if (name.endsWith(suffix)) this.#last.delete(name)
  }
}

// A topic may hold any character, so its length is what tells `b` from `a b`.
const nameOf = (origin: string, topic: string) => `${origin} ${topic.length} ${topic}`
