import { setImmediate as nextTurn } from 'node:timers/promises'
import type { FillContext } from '../loader.ts'
import type { Captured } from './capture.ts'
import type { Forward } from './cache-status.ts'
import type { Wishes } from './directives.ts'
import type { Exchange, Settle, Wrapped } from './exchange.ts'
import { groupsOf } from './groups.ts'
import { keptStaleMs } from './options.ts'
import type { Refreshed } from './refresher.ts'
import { type Replayed, replay } from './replay.ts'
import type { RouteCacheParts } from './route-cache.ts'
import { type StoredResponse, ageMs, isStored } from './stored-response.ts'

/** What a look-up needs of the route cache. */
export interface LookupParts extends Pick<RouteCacheParts, 'cache' | 'nowMs' | 'onHidden'> {
  /** The tags of a key's entry, those included that its answer has named before. */
  tagsOf (key: string): readonly string[]
  /** Groups that an answer has named: from the next run on they are among the tags of its key. */
  learn (key: string, groups: readonly string[]): void
  /** Runs the handler on the client's own reply. */
  run (forward: Forward, settle: Settle): Promise<Captured | undefined>
  /** The same, of which nothing is to be stored. */
  runUncached (forward: Forward, settle: Settle): void
  refresh (stale: StoredResponse): Promise<Refreshed>
}

/** What is looked for. */
export interface Wanted {
  readonly wrapped: Wrapped
  readonly exchange: Exchange
  readonly key: string
  readonly wishes: Wishes | undefined
  readonly forward: Forward
}

/** One request's way to an answer that is not in this process: from the store, from the run of another, from the handler. */
export class Lookup {
  readonly #parts: LookupParts
  readonly #wanted: Wanted
  readonly #keptMs: number
  readonly #settle: Settle
  readonly answered: Promise<unknown>
  /** What lies there, past its time. */
  #stale: StoredResponse | undefined
  /** The handler runs on this request's own reply, which is the answer. */
  #own = false
  #refreshed: Promise<Refreshed> | undefined

  constructor (parts: LookupParts, wanted: Wanted) {
    let settle!: Settle
    this.answered = new Promise((resolve, reject) => { settle = { resolve, reject } })
    this.#settle = settle
    this.#parts = parts
    this.#wanted = wanted
    this.#keptMs = keptStaleMs(wanted.wrapped.options)
    this.#search().catch(settle.reject)
  }

  async #search (): Promise<void> {
    const found = await this.#load(this.#keptMs)
    if (this.#own) return
    if (found === undefined) return this.#uncached()
    // Looked at by the fill, which waits a turn for it.
    this.#stale = found
    const fresh = await this.#fresh()
    if (this.#own) return
    if (fresh !== undefined) return this.#replay(fresh, { state: 'HIT' })
    if (this.#mayBeStale(found)) return this.#replay(found, { state: 'STALE' })
    await this.#confirmed(found)
  }

  /** The entry, fresh or stale; undefined where the handler gave nothing to share. */
  async #load (swrMs: number): Promise<StoredResponse | undefined> {
    const { cache, tagsOf } = this.#parts
    const { key, wrapped } = this.#wanted
    const { ttl } = wrapped.options
    const tags = tagsOf(key)
    const options = { tags, ...(ttl === undefined ? {} : { ttl }), ...(swrMs === 0 ? {} : { swr: swrMs }) }
    try {
      const found = await cache.getOrSet<StoredResponse | undefined>(key, context => this.#fill(context, tags), options)
      return isStored(found) ? found : undefined
    } catch (error) {
      // The run of another has failed, or this one's, which answers for itself.
      this.#parts.onHidden('look up', error)
      return undefined
    }
  }

  async #fill (context: FillContext, tags: readonly string[]): Promise<StoredResponse | undefined> {
    const { forward } = this.#wanted
    // A stale answer is given before this turn of the loop ends; a miss waits for us.
    if (this.#keptMs > 0 && this.#stale === undefined) await nextTurn()
    if (this.#stale !== undefined) return this.#kept(context, await this.#refill(this.#stale), tags)
    this.#own = true
    const captured = await this.#parts.run(forward, this.#settle)
    return this.#kept(context, captured?.response, tags)
  }

  async #refill (stale: StoredResponse): Promise<StoredResponse | undefined> {
    const { refresh, cache, onHidden } = this.#parts
    const { key } = this.#wanted
    this.#refreshed = refresh(stale).catch((error: unknown) => {
      onHidden('refresh', error)
      return { kind: 'failed' as const }
    })
    const refreshed = await this.#refreshed
    if (refreshed.kind === 'gone') await cache.delete(key)
    return refreshed.kind === 'stored' ? refreshed.response : undefined
  }

  /** Groups must be among the tags from before the run on: else an invalidation during it would be missed. */
  #kept (context: FillContext, response: StoredResponse | undefined, tags: readonly string[]): StoredResponse | undefined {
    if (response === undefined || response.life.freshMs < 1) return undefined
    const groups = groupsOf(response.headers['cache-groups'])
    if (groups === undefined) return undefined
    if (!groups.every(group => tags.includes(group))) {
      this.#parts.learn(this.#wanted.key, groups)
      return undefined
    }
    context.ttl(response.life.freshMs)
    return response
  }

  /** What the store says is fresh, by its own clock. */
  async #fresh (): Promise<StoredResponse | undefined> {
    const { cache } = this.#parts
    const found = cache.getLocal(this.#wanted.key) ?? await cache.get(this.#wanted.key)
    return isStored(found) ? found : undefined
  }

  #mayBeStale (stale: StoredResponse): boolean {
    const { wishes, forward } = this.#wanted
    if (wishes === undefined) return this.#pastMs(stale) < stale.life.swrMs
    // RFC 9111, 5.2.1.2, and 4.2.4 for what forbids it. What this request itself has made stale is not fresh enough for it.
    return forward !== 'request' && !wishes.noCache && !stale.life.strict && this.#pastMs(stale) < wishes.maxStaleMs
  }

  /** By the wall clocks of the filler and this machine; the store ends it in any case. */
  #pastMs (stale: StoredResponse): number {
    return Math.max(0, ageMs(stale, this.#parts.nowMs(), false) - stale.life.ageMs - stale.life.freshMs)
  }

  /** The stale answer was asked for again: here, or by another request whose outcome is waited for. */
  async #confirmed (stale: StoredResponse): Promise<void> {
    const refreshed = this.#refreshed === undefined ? await this.#others() : await this.#refreshed
    if (this.#own) return
    const { forward } = this.#wanted
    if (refreshed.kind === 'stored') return this.#replay(refreshed.response, { state: 'MISS', forwarded: { forward: forward === 'request' ? forward : 'stale', status: refreshed.status, collapsed: refreshed.status === 0 } })
    // RFC 5861, 4
    if (refreshed.kind === 'failed' && this.#pastMs(stale) < stale.life.staleIfErrorMs) return this.#replay(stale, { state: 'STALE' })
    this.#uncached()
  }

  async #others (): Promise<Refreshed> {
    const found = await this.#load(0)
    if (this.#refreshed !== undefined) return this.#refreshed
    return found === undefined ? { kind: 'failed' } : { kind: 'stored', status: 0, response: found }
  }

  #uncached (): void {
    this.#parts.runUncached(this.#wanted.forward, this.#settle)
  }

  #replay (stored: StoredResponse, replayed: Omit<Replayed, 'nowMs'>): void {
    const { request, reply } = this.#wanted.exchange
    replay(request, reply, stored, { ...replayed, nowMs: this.#parts.nowMs() })
    this.#settle.resolve(reply)
  }
}
