import { inspect } from 'node:util'
import { FST_RSP_CACHE_EVENT_UNKNOWN } from './errors.ts'
import type { FillOutcome } from './metrics.ts'
import type { MissReason } from './read-report.ts'

/** What the cache tells those who listen, of all its namespaces. Each event names its namespace in full. */
export interface CacheEventMap {
  /** A read was answered from a tier; `stale`: past its time. */
  hit: { namespace: string, key: string, tier: 'l1' | 'l2', stale: boolean }
  /** Neither tier had an answer. */
  miss: { namespace: string, key: string, reason: MissReason }
  /** A factory, or a write through the cache, has come to an end. What was stored of it is told in serialised bytes; without, nothing was. */
  fill: { namespace: string, key: string, outcome: FillOutcome, costMs: number | undefined, ttlMs?: number, bytes?: number }
  /** A value was stored by `set` or `setMany`. */
  set: { namespace: string, key: string, ttlMs: number, bytes: number }
  /** Something was invalidated here; `queued`: Redis has not taken it yet. */
  invalidate: { namespace: string, kind: 'key' | 'soft' | 'pattern' | 'tag' | 'clear', name: string, dropped: number, queued: boolean }
  /** The bounds have pushed a local copy out. */
  evict: { namespace: string, key: string }
}

/** The name of an event. */
export type CacheEventName = keyof CacheEventMap
/** Called with each event of its name; what it returns is not looked at, but a rejection is logged. */
export type CacheListener<Name extends CacheEventName> = (event: CacheEventMap[Name]) => unknown

/** Those who listen to a cache. None of them can break it: what one throws, or rejects with, is logged. */
export class CacheEvents {
  /** Who is listened to: looked at before an event is made. */
  readonly wanted: Record<CacheEventName, boolean> = { hit: false, miss: false, fill: false, set: false, invalidate: false, evict: false }
  readonly #listeners = new Map<CacheEventName, Set<(event: never) => unknown>>()
  readonly #onHidden: (what: string, error: unknown) => void

  constructor (onHidden: (what: string, error: unknown) => void) {
    this.#onHidden = onHidden
  }

  /** @throws FST_RSP_CACHE_EVENT_UNKNOWN */
  on<Name extends CacheEventName> (name: Name, listener: CacheListener<Name>): () => void {
    if (!Object.hasOwn(this.wanted, name)) throw new FST_RSP_CACHE_EVENT_UNKNOWN(Object.keys(this.wanted).join(', '), inspect(name))
    const listeners = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, listeners.add(listener))
    this.wanted[name] = true
    return () => {
      listeners.delete(listener)
      this.wanted[name] = listeners.size > 0
    }
  }

  tell<Name extends CacheEventName> (name: Name, event: CacheEventMap[Name]): void {
    for (const listener of [...this.#listeners.get(name) ?? []] as CacheListener<Name>[]) {
      Promise.resolve(event).then(listener).catch(error => this.#onHidden(`listener of '${name}'`, error))
    }
  }
}
