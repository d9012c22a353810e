import type { FastifyBaseLogger } from 'fastify'
import type { Clock, CounterSeries, Invalidation } from '@respite/redis'
import { changeOf } from './change-message.ts'
import type { Targets } from './definition.ts'
import type { Entities } from './entities.ts'
import { NowAndThen } from './now-and-then.ts'

/** What a listener works with. */
export interface ListenerParts {
  invalidation (): Invalidation
  readonly entities: Entities
  readonly clock: Clock
  readonly topic: string
  readonly log: Pick<FastifyBaseLogger, 'warn'>
  count (event: 'message' | 'malformed' | 'gap'): CounterSeries
}

/** Drops what other instances, or programs in other languages, tell of. */
export class Listener {
  readonly #parts: ListenerParts
  readonly #complaints: NowAndThen

  constructor (parts: ListenerParts) {
    this.#parts = parts
    this.#complaints = new NowAndThen(parts.clock)
  }

  /** A message came. Whoever can publish can publish anything: what is no change is counted, and said once a minute. */
  async heard (value: unknown): Promise<void> {
    const { invalidation, log, topic, count } = this.#parts
    let targets: Targets | undefined
    try {
      targets = this.#targetsOf(value)
    } catch (error) {
      count('malformed').inc()
      // The message stays out of the log: it is the app's.
      this.#complaints.happened(since => log.warn({ topic, since, err: error }, 'messages are no changes, and were left aside'))
      return
    }
    count('message').inc()
    if (targets !== undefined) await invalidation().drop(targets)
  }

  /** Messages may have been missed: what lies in this process is not to be trusted. */
  missed (): void {
    this.#parts.count('gap').inc()
    this.#parts.invalidation().forgetLocal()
  }

  /** @returns undefined where an entity's strategy is `ttl` */
  #targetsOf (value: unknown): Targets | undefined {
    const change = changeOf(value)
    if (change === undefined) throw new TypeError('it is of another form')
    if (!('entity' in change)) {
      this.#parts.invalidation().check?.(change)
      return change
    }
    const entity = this.#parts.entities.of(change.entity)
    if (entity.strategy === 'ttl') return undefined
    // The definition's functions meet states of a stranger here: whatever they throw, the message is malformed.
    const targets = entity.targets(change.states)
    this.#parts.invalidation().check?.(targets)
    return targets
  }
}
