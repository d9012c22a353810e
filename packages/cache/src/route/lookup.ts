import type { FillContext } from '../fill-context.ts'
import type { ReadReport } from '../read-report.ts'
import type { Captured } from './capture.ts'
import type { Forward } from './cache-status.ts'
import type { Wishes } from './directives.ts'
import type { Exchange, Settle, Wrapped } from './exchange.ts'
import { groupsOf } from './groups.ts'
import { keptStaleMs } from './options.ts'
import { readyAnswer } from './ready-answer.ts'
import { RefreshFailed, type Refreshed } from './refresher.ts'
import { type Replayed, replay } from './replay.ts'
import type { RouteCacheParts } from './route-cache.ts'
import { type StoredResponse, ageMs, isStored } from './stored-response.ts'

/** What a look-up needs of the route cache. */
export interface LookupParts extends Pick<RouteCacheParts, 'cache' | 'nowMs' | 'onHidden'> {
  /** Of the entry, but those that its answer names itself. */
  readonly tags: readonly string[]
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

/** What the look-up has found: fresh, or past its time. */
interface Entry { readonly stored: StoredResponse, readonly stale: boolean }

/** One request's way to an answer that is not in this process: from the store, from the run of another, from the handler. */
export class Lookup {
  readonly #parts: LookupParts
  readonly #wanted: Wanted
  readonly #keptMs: number
  readonly #settle: Settle
  readonly answered: Promise<unknown>
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
    const found = await this.#load({ swr: this.#keptMs })
    if (this.#own) return
    if (found === undefined || found === 'failed') return this.#uncached()
    if (!found.stale) return this.#replay(found.stored, { state: 'HIT' })
    if (this.#mayBeStale(found.stored)) return this.#replay(found.stored, { state: 'STALE' })
    await this.#confirmed(found.stored)
  }

  /** The entry, fresh or stale; undefined where the handler gave nothing to share, `failed` where it, or Redis, failed. */
  async #load (window: { swr: number } | { staleIfError: number }): Promise<Entry | undefined | 'failed'> {
    const { cache, tags } = this.#parts
    const { key, wrapped } = this.#wanted
    const { ttl } = wrapped.options
    let source: ReadReport['source'] | undefined
    const options = { tags, ...window, ...(ttl === undefined ? {} : { ttl }), onReport: (report: ReadReport) => { source = report.source } }
    try {
      const stored = await cache.getOrSet<StoredResponse | undefined>(key, context => this.#fill(context), options)
      return isStored(stored) ? { stored, stale: source === 'stale' } : undefined
    } catch (error) {
      // The run of another has failed, or this one's, which answers for itself.
      this.#parts.onHidden('look up', error)
      return 'failed'
    }
  }

  async #fill (context: FillContext): Promise<StoredResponse | undefined> {
    const { stale } = context
    // A stale answer is given at once, and refreshed behind it; without a window for it, nothing is there to be confirmed.
    if (this.#keptMs > 0 && stale !== undefined) return this.#kept(context, await this.#refill(stale))
    this.#own = true
    const captured = await this.#parts.run(this.#wanted.forward, this.#settle)
    return this.#kept(context, captured?.response)
  }

  async #refill (stale: unknown): Promise<StoredResponse | undefined> {
    const { refresh, cache, onHidden } = this.#parts
    const { key } = this.#wanted
    // What is no answer was written by a stranger, and who asked has been sent past it.
    const refreshed = this.#refreshed = !isStored(stale)
      ? Promise.resolve({ kind: 'gone' } as const)
      : refresh(stale).catch((error: unknown) => {
        onHidden('refresh', error)
        return { kind: 'failed' } as const
      })
    const outcome = await refreshed
    if (outcome.kind === 'gone') await cache.delete(key)
    // Told apart from what must go, by those of other requests who wait for this run.
    if (outcome.kind === 'failed') throw new RefreshFailed()
    return outcome.kind === 'stored' ? outcome.response : undefined
  }

  /** Its groups are among its tags; one that was ended since before the handler ran keeps the answer from being stored. */
  #kept (context: FillContext, response: StoredResponse | undefined): StoredResponse | undefined {
    if (response === undefined || response.life.freshMs < 1) return undefined
    const groups = groupsOf(response.headers['cache-groups'])
    if (groups === undefined) return undefined
    context.tag(...groups)
    context.ttl(response.life.freshMs)
    return response
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
    const found = await this.#load({ staleIfError: this.#keptMs })
    if (this.#refreshed !== undefined) return this.#refreshed
    if (found === undefined) return { kind: 'gone' }
    return found === 'failed' || found.stale ? { kind: 'failed' } : { kind: 'stored', status: 0, response: found.stored }
  }

  #uncached (): void {
    this.#parts.runUncached(this.#wanted.forward, this.#settle)
  }

  #replay (stored: StoredResponse, replayed: Omit<Replayed, 'nowMs'>): void {
    const { exchange } = this.#wanted
    replay(exchange, readyAnswer(stored), { ...replayed, nowMs: this.#parts.nowMs() })
    this.#settle.resolve(exchange.reply)
  }
}
