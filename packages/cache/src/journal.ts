import type { Target } from './drop-queue.ts'
import type { CacheEvents } from './events.ts'
import type { FillOutcome, Meters } from './metrics.ts'
import type { MissReason } from './read-report.ts'

/** What was stored of a fill. */
export interface StoredSizes {
  readonly ttlMs: number
  readonly bytes: number
}

/** What happens in one namespace: counted, and told to those who listen. */
export class Journal {
  readonly meters: Meters
  readonly #namespace: string
  readonly #events: CacheEvents

  constructor (namespace: string, meters: Meters, events: CacheEvents) {
    this.#namespace = namespace
    this.meters = meters
    this.#events = events
  }

  hitL1 (key: string): void {
    this.meters.hitsL1.inc()
    if (this.#events.wanted.hit) this.#events.tell('hit', { namespace: this.#namespace, key, tier: 'l1', stale: false })
  }

  hitL2 (key: string, stale: boolean): void {
    this.meters.hitsL2.inc()
    if (this.#events.wanted.hit) this.#events.tell('hit', { namespace: this.#namespace, key, tier: 'l2', stale })
  }

  miss (key: string, reason: MissReason): void {
    this.meters.missesL2.inc()
    if (this.#events.wanted.miss) this.#events.tell('miss', { namespace: this.#namespace, key, reason })
  }

  /** @param costMs - how long the run took; undefined where it failed */
  filled (key: string, outcome: FillOutcome, { costMs, stored }: { costMs?: number, stored?: StoredSizes } = {}): void {
    this.meters.filled(outcome)
    if (stored !== undefined) this.meters.stored(stored.ttlMs, stored.bytes)
    if (this.#events.wanted.fill) this.#events.tell('fill', { namespace: this.#namespace, key, outcome, costMs, ...stored })
  }

  set (key: string, stored: StoredSizes): void {
    this.meters.stored(stored.ttlMs, stored.bytes)
    if (this.#events.wanted.set) this.#events.tell('set', { namespace: this.#namespace, key, ...stored })
  }

  invalidated ({ kind, name }: Target, dropped: number, queued: boolean): void {
    this.meters.invalidated(kind)
    if (this.#events.wanted.invalidate) this.#events.tell('invalidate', { namespace: this.#namespace, kind, name, dropped, queued })
  }

  evicted (key: string): void {
    this.meters.evictions.inc()
    if (this.#events.wanted.evict) this.#events.tell('evict', { namespace: this.#namespace, key })
  }
}
