import type { DropReport } from '@respite/redis'
import { written } from './answer.ts'
import { checkedKey } from './checked-key.ts'
import type { CacheEventName, CacheListener } from './events.ts'
import type { Target } from './drop-queue.ts'
import type { FillContext } from './fill-context.ts'
import type { GetOrSetManyOptions, GetOrSetOptions, SetOptions } from './get-or-set-options.ts'
import { type LoadMissing, MissingBatch } from './missing-batch.ts'
import type { Namespace } from './namespace.ts'
import type { NamespaceOptions } from './namespace-options.ts'
import type { Namespaces } from './namespaces.ts'
import { OperationTimes } from './operation-times.ts'
import { parsePattern } from './pattern.ts'
import type { ReadOptions } from './read-report.ts'
import { Reading, type WithTtl } from './reading.ts'
import type { CacheStats } from './stats.ts'
import { checkedTags } from './tags.ts'
import { ttlMs } from './ttl.ts'
import { writeThrough } from './write-through.ts'

/**
 * A two-level cache: copies in this process over Redis. `undefined` means absent; `null` is a value like any other.
 * Values are frozen and shared between callers where they are plain JSON, and copied where they are not.
 */
export class Cache {
  readonly #space: Namespace
  readonly #all: Namespaces
  readonly #times: OperationTimes
  readonly #reading: Reading

  constructor (all: Namespaces, space: Namespace) {
    this.#all = all
    this.#space = space
    this.#times = new OperationTimes(all.clock, space.journal.meters)
    this.#reading = new Reading({ space, times: this.#times, onHidden: all.onHidden })
  }

  /** The namespace's full name. */
  get name (): string {
    return this.#space.ns
  }

  /**
   * The value of a key, or undefined. While Redis does not answer, what it holds is absent.
   * @throws FST_RSP_CACHE_KEY_INVALID
   */
  get<T = unknown> (key: string, options?: ReadOptions): Promise<T | undefined> {
    const startedAt = this.#times.sampledAt()
    const copy = this.#space.local.find(key)
    if (copy === undefined) return this.#reading.peek<T>(key, options).then(found => found?.value)
    const value = this.#reading.local(copy, key, options) as T
    if (startedAt !== undefined) this.#times.took('get', 'l1', startedAt)
    return Promise.resolve(value)
  }

  /**
   * The value of a local copy, without asking Redis or waiting a tick; undefined where there is none.
   * For hot paths that have another way.
   */
  getLocal<T = unknown> (key: string): T | undefined {
    const copy = this.#space.local.find(key)
    return copy === undefined ? undefined : this.#reading.local(copy, key, undefined) as T
  }

  /**
   * The value of a key and how long it is fresh, or undefined.
   * @throws FST_RSP_CACHE_KEY_INVALID
   */
  async getWithTtl<T = unknown> (key: string, options?: ReadOptions): Promise<WithTtl<T> | undefined> {
    return this.#reading.peek<T>(key, options)
  }

  /**
   * Stores a value; the last one at Redis wins. While Redis is down nothing is stored, and what it may still hold is queued to be dropped.
   * @throws FST_RSP_CACHE_NOT_SERIALISABLE, FST_RSP_CACHE_KEY_INVALID, FST_RSP_DURATION_INVALID, FST_RSP_CACHE_TTL_OUT_OF_BOUNDS,
   * FST_RSP_CACHE_TAGS_TOO_MANY, FST_RSP_CACHE_TAG_INVALID
   */
  async set (key: string, value: unknown, options: SetOptions = {}): Promise<void> {
    const startedAt = this.#times.nowMs()
    await this.#space.put(checkedKey(key), written(key, value, this.#space.settings.writing.codec), { ttlMs: this.#ttlMs(options), tags: checkedTags(options.tags) })
    this.#times.took('set', 'l2', startedAt)
  }

  /**
   * The value of a key; where it is missing, what `factory` gives, stored unless the key was invalidated meanwhile. One
   * run for all callers of all processes; a failing run fails all that wait for it. A factory that gives undefined stores nothing.
   * @throws what the factory throws; FST_RSP_CACHE_FILL_FAILED when it threw elsewhere; FST_RSP_CACHE_FILL_TIMEOUT after `timeouts.hard`;
   * FST_RSP_CACHE_CALL_OPTION_INVALID; and what `set` throws
   */
  getOrSet<T> (key: string, factory: (context: FillContext) => T | Promise<T>, options?: GetOrSetOptions): Promise<T> {
    const startedAt = this.#times.sampledAt()
    const copy = this.#space.local.find(key)
    if (copy === undefined) return this.#reading.load(key, { factory }, options ?? {}) as Promise<T>
    if (options?.eager !== undefined) return this.#reading.eagerly(copy, { key, factory, options }) as Promise<T>
    const value = this.#reading.local(copy, key, options) as T
    if (startedAt !== undefined) this.#times.took('getOrSet', 'l1', startedAt)
    return Promise.resolve(value)
  }

  /**
   * Writes to the source, and stores what the write gives: readers wait for it, and no older fill comes after it. Of overlapping
   * writes of one key none is stored. A write that gives undefined leaves no entry; one that fails drops it, for its commit may have happened.
   * While Redis is down the write is made, and the drop is queued.
   * @throws what `write` throws, and what `set` throws: FST_RSP_CACHE_NOT_SERIALISABLE after the write
   */
  async writeThrough<T> (key: string, write: () => T | Promise<T>, options: SetOptions = {}): Promise<T> {
    const startedAt = this.#times.nowMs()
    const value = await writeThrough(this.#space, { key: checkedKey(key), commit: write, ttlMs: this.#ttlMs(options), tags: checkedTags(options.tags) })
    this.#times.took('writeThrough', 'l2', startedAt)
    return value
  }

  /**
   * The values of keys, in their order: one round trip a node, whatever their number.
   * @throws FST_RSP_CACHE_KEY_INVALID
   */
  getMany<T = unknown> (keys: readonly string[], options?: ReadOptions): Promise<(T | undefined)[]> {
    return Promise.all(keys.map(key => this.get<T>(key, options)))
  }

  /**
   * Stores values: two round trips a node, whatever their number; of a key that is there twice, the last. Nothing is stored where one of them cannot be.
   * @throws what `set` throws
   */
  async setMany (entries: Iterable<readonly [key: string, value: unknown]>, options: SetOptions = {}): Promise<void> {
    const startedAt = this.#times.nowMs()
    const { codec } = this.#space.settings.writing
    const bodies = new Map(Array.from(entries, ([key, value]) => [checkedKey(key), written(key, value, codec)]))
    const how = { ttlMs: this.#ttlMs(options), tags: checkedTags(options.tags) }
    await Promise.all(Array.from(bodies, ([key, body]) => this.#space.put(key, body, how)))
    this.#times.took('set', 'l2', startedAt)
  }

  /**
   * The values of ids, in their order; those that are missing are loaded by one call of `loadMissing`, each stored unless its key
   * was invalidated meanwhile. What another process is loading is waited for; should that fail to come, `loadMissing` is called again.
   * @throws FST_RSP_CACHE_BATCH_INVALID, and what `getOrSet` throws
   */
  async getOrSetMany<Id, T> (ids: readonly Id[], loadMissing: LoadMissing<Id, T>, options: GetOrSetManyOptions<Id> = {}): Promise<(T | undefined)[]> {
    const { key = String } = options
    const wanted = new Map<string, Id>()
    const keys = ids.map(id => checkedKey(key(id)))
    const found = new Map<string, T | undefined | Promise<T | undefined>>()
    for (const [i, key] of keys.entries()) {
      if (found.has(key) || wanted.has(key)) continue
      const copy = this.#space.local.find(key)
      if (copy === undefined) wanted.set(key, ids[i]!)
      else found.set(key, this.#reading.local(copy, key, options) as T)
    }
    const batch = new MissingBatch(loadMissing, wanted.size)
    for (const [key, id] of wanted) found.set(key, batch.join(id, (factory, onElsewhere) => this.#reading.load(key, { factory, onElsewhere }, options)))
    try {
      return await Promise.all(keys.map(key => found.get(key)))
    } catch (error) {
      // Who calls again upon the error meets none of the runs that fail with it.
      await Promise.allSettled(found.values())
      throw error
    }
  }

  /**
   * Drops keys and refuses the fills that are under way for them. To be called after the commit.
   * @throws FST_RSP_CACHE_KEY_INVALID
   */
  async delete (...keys: string[]): Promise<DropReport> {
    return this.#drop(keys.map(key => ({ kind: 'key', name: checkedKey(key) })))
  }

  /**
   * Drops all keys of this namespace that match, in which `*`, at most 8 times, stands for any text and nothing else is special. Walks all masters.
   * @throws FST_RSP_CACHE_PATTERN_INVALID
   */
  async deletePattern (pattern: string): Promise<DropReport> {
    return this.#drop([{ kind: 'pattern', name: parsePattern(pattern).text }])
  }

  /**
   * Ends all entries of this namespace that carry one of these tags, of which a call has at most 128.
   * @throws FST_RSP_CACHE_TAGS_TOO_MANY, FST_RSP_CACHE_TAG_INVALID
   */
  async invalidateTags (...tags: string[]): Promise<DropReport> {
    return this.#drop(checkedTags(tags).map(name => ({ kind: 'tag', name })))
  }

  /**
   * Ends the freshness of keys; as stale they may still be answered where a call allows it.
   * @throws FST_RSP_CACHE_KEY_INVALID
   */
  async expire (...keys: string[]): Promise<DropReport> {
    return this.#drop(keys.map(key => ({ kind: 'soft', name: checkedKey(key) })))
  }

  /** Ends all entries of this namespace, and of no other: one write, whatever their number. */
  async clear (): Promise<DropReport> {
    return this.#drop([{ kind: 'clear', name: '' }])
  }

  /**
   * A namespace with keys, time to live, bounds and metrics label of its own. Named by the app, never from requests.
   * @throws FST_RSP_CACHE_NAMESPACE_TAKEN, FST_RSP_CACHE_NAMESPACES_TOO_MANY, FST_RSP_OPTION_INVALID
   */
  namespace (name: string, options?: NamespaceOptions): Cache {
    return this.#all.under(this.#space, name, options)
  }

  /**
   * Listens to all namespaces of this app; a listener is called after the call it is told of, and cannot break it.
   * @returns stops listening
   * @throws FST_RSP_CACHE_EVENT_UNKNOWN
   */
  on<Name extends CacheEventName> (name: Name, listener: CacheListener<Name>): () => void {
    return this.#all.on(name, listener)
  }

  /** What all namespaces have counted in this process. */
  stats (): CacheStats {
    return this.#all.stats()
  }

  async #drop (targets: Target[]): Promise<DropReport> {
    const startedAt = this.#times.nowMs()
    const report = await this.#space.invalidate(targets)
    this.#times.took('invalidate', 'l2', startedAt)
    return report
  }

  #ttlMs (options: SetOptions): number {
    return options.ttl === undefined ? this.#space.settings.ttlMs : ttlMs(options.ttl)
  }
}
