import type { RedisBus } from '../bus/redis-bus.ts'
import { FST_RSP_SUBSCRIBER_LOST } from '../errors.ts'
import type { Word, WordBearer } from './word.ts'

/** Topics that begin with `respite:` are ours. */
const topic = 'respite:invalidations'
/** More than this in one tick are told as everything. */
const mostKeys = 10_000
const retryMs = 1_000

/**
 * For servers without CLIENT TRACKING … BCAST: each process tells the others what it has changed. Changes that are made
 * past Respite, and expiry, are told by nobody.
 */
export class BusWord implements WordBearer {
  readonly means = 'bus'
  readonly #bus: RedisBus
  #untold: Set<string> | 'all' | undefined
  #retry: NodeJS.Timeout | undefined
  #closed = false

  constructor (bus: RedisBus, word: Word) {
    this.#bus = bus
    bus.watch(topic, {
      live: untilMs => { if (!this.#closed) word.sure(untilMs) },
      lost: reason => { if (!this.#closed) word.lost(reason) }
    })
    bus.subscribe(topic, value => {
      if (this.#closed) return
      if (value === 'all') word.changedAll()
      else if (Array.isArray(value)) word.changed(value.filter(key => typeof key === 'string'))
    }, { onGap: () => { if (!this.#closed) word.lost(new FST_RSP_SUBSCRIBER_LOST('messages are missing')) } })
      .catch(reason => word.lost(reason))
  }

  prefixesGrew (): void {}

  tell (keys: readonly string[] | undefined): void {
    if (this.#untold === undefined) setImmediate(() => this.#say())
    if (keys === undefined || this.#untold === 'all') {
      this.#untold = 'all'
      return
    }
    this.#untold ??= new Set()
    for (const key of keys) this.#untold.add(key)
    if (this.#untold.size > mostKeys) this.#untold = 'all'
  }

  async close (): Promise<void> {
    this.#closed = true
    clearTimeout(this.#retry)
  }

  #say (): void {
    const untold = this.#untold
    this.#untold = undefined
    if (untold === undefined || this.#closed) return
    this.#bus.publish(topic, untold === 'all' ? 'all' : [...untold]).catch(() => {
      // The others may not have heard of it: all that is theirs goes, as soon as they can be told.
      this.#retry ??= setTimeout(() => {
        this.#retry = undefined
        this.tell(undefined)
      }, retryMs).unref()
    })
  }
}
