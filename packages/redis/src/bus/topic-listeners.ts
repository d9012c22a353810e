import type { FastifyBaseLogger } from 'fastify'
import type { BusListener, GapReason, SubscribeOptions } from './bus.ts'
import { decodeEnvelope, type Unreadable } from './envelope.ts'
import { Sequences } from './sequences.ts'
import { Subscription } from './subscription.ts'

export interface TopicListenersOptions {
  /** This instance's own. */
  origin: string
  log: Pick<FastifyBaseLogger, 'error'>
  /** A message of another instance came; told before it is delivered, so that what it says of its sender has the last word. */
  onHeard?: (origin: string) => void
  /** Counts the gaps that listeners are told of. */
  onGap?: (why: GapReason) => void
}

/** Who listens to what, and what each is handed: the half of a bus that needs no server. */
export class TopicListeners {
  readonly #origin: string
  readonly #about: Pick<TopicListenersOptions, 'log' | 'onGap'>
  readonly #onHeard: TopicListenersOptions['onHeard']
  readonly #topics = new Map<string, Set<Subscription>>()
  readonly #sequences = new Sequences()

  constructor ({ origin, log, onHeard, onGap }: TopicListenersOptions) {
    this.#origin = origin
    this.#onHeard = onHeard
    this.#about = { log, onGap }
  }

  /** @returns the way to stop, which tells whether it was the topic's last */
  add (topic: string, listener: BusListener, options: SubscribeOptions): () => boolean {
    const subscription = new Subscription(listener, options, this.#about)
    const all = this.#topics.get(topic) ?? new Set()
    this.#topics.set(topic, all.add(subscription))
    return () => {
      subscription.end()
      if (!all.delete(subscription) || all.size > 0) return false
      return this.#topics.delete(topic)
    }
  }

  /** @returns why it was not readable, if it was not */
  receive (topic: string, bytes: Buffer): Unreadable | undefined {
    const message = decodeEnvelope(bytes)
    if (message === 'version') this.gap('sequence', topic)
    if (typeof message === 'string') return message
    const { origin, sequence, value } = message
    // Who publishes by hand, from another language, has no origin.
    if (origin !== this.#origin && origin !== '') this.#onHeard?.(origin)
    const verdict = this.#sequences.heard(topic, origin, sequence)
    if (verdict === 'repeated') return undefined
    // A copy of the set: a listener may unsubscribe, or subscribe another, while it is called.
    for (const subscription of [...this.#topics.get(topic) ?? []]) {
      if (origin === this.#origin && !subscription.ownMessages) continue
      if (verdict === 'hole') subscription.gap('sequence', topic)
      subscription.deliver(value, { topic, origin, sequence })
    }
    return undefined
  }

  gap (why: GapReason, topic: string): void {
    for (const subscription of [...this.#topics.get(topic) ?? []]) subscription.gap(why, topic)
  }

  /** After a lost connection: nothing is known of what was published meanwhile. */
  forgetSequences (topic: string): void {
    this.#sequences.forget(topic)
  }
}
