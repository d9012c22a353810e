import type { Bus, Link } from '@respite/redis'

/** Somebody to whom a limit has given something back: the limit's name, the subject, and true where what was counted no longer holds, so that nothing leased of it does. */
export type Freed = readonly [limit: string, subject: string, anew?: true]

const topic = 'ratelimit.freed'
/** Of one message; a name is at most 128 characters, a subject 22. */
const mostAtOnce = 50

/** Tells all processes who was freed. A message whose loss nobody notices costs its subject the rest of the wait that it was told. */
export class FreedTopic {
  readonly #bus: Bus
  readonly #link: Link
  readonly #waiting = new Map<string, Freed>()

  constructor (bus: Bus, link: Link) {
    this.#bus = bus
    this.#link = link
  }

  /** Tells all processes at the end of this turn of the event loop, of each once. */
  publish (freed: readonly Freed[]): void {
    if (this.#waiting.size === 0 && freed.length > 0) this.#link.soon(() => this.#flush())
    for (const one of freed) this.#waiting.set(one.join(' '), one)
  }

  /**
   * Tells a listener what other processes say.
   * @param onGap - messages may be missing
   * @returns the way to stop listening
   */
  subscribe (listener: (freed: Freed) => void, onGap: () => void): Promise<() => void> {
    return this.#bus.subscribe(topic, value => {
      for (const one of Array.isArray(value) ? value : []) if (isFreed(one)) listener(one)
    }, { onGap })
  }

  #flush (): void {
    const all = [...this.#waiting.values()]
    this.#waiting.clear()
    for (let from = 0; from < all.length; from += mostAtOnce) this.#bus.publish(topic, all.slice(from, from + mostAtOnce)).catch(() => undefined)
  }
}

const isFreed = (value: unknown): value is Freed => Array.isArray(value) && typeof value[0] === 'string' && typeof value[1] === 'string' && (value.length === 2 || (value.length === 3 && value[2] === true))
