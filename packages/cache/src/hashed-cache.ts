import type { DropReport } from '@respite/redis'
import { Cache } from './cache.ts'
import type { FillContext } from './fill-context.ts'
import type { GetOrSetManyOptions, GetOrSetOptions, SetOptions } from './get-or-set-options.ts'
import type { HashedNames } from './hashed-names.ts'
import type { LoadMissing } from './missing-batch.ts'
import type { Namespace } from './namespace.ts'
import type { Namespaces } from './namespaces.ts'
import type { ReadOptions } from './read-report.ts'
import type { WithTtl } from './reading.ts'

/**
 * A cache that hashes keys and tags at its door: whatever lies behind it, local copies and the queue included, never sees them, and
 * cannot tell them to Redis, errors, logs or those who listen. Reports go to the caller, and name the key as the caller does.
 */
export class HashedCache extends Cache {
  readonly #names: HashedNames

  constructor ({ all, space, names }: { all: Namespaces, space: Namespace, names: HashedNames }) {
    super(all, space)
    this.#names = names
  }

  override async get<T = unknown> (key: string, options?: ReadOptions): Promise<T | undefined> {
    return super.get<T>(this.#names.key(key), told(options, () => key))
  }

  override getLocal<T = unknown> (key: string): T | undefined {
    return super.getLocal<T>(this.#names.key(key))
  }

  override async getWithTtl<T = unknown> (key: string, options?: ReadOptions): Promise<WithTtl<T> | undefined> {
    return super.getWithTtl<T>(this.#names.key(key), told(options, () => key))
  }

  override async set (key: string, value: unknown, options?: SetOptions): Promise<void> {
    return super.set(this.#names.key(key), value, this.#tagged(options))
  }

  override async getOrSet<T> (key: string, factory: (context: FillContext) => T | Promise<T>, options?: GetOrSetOptions): Promise<T> {
    // A factory without a parameter adds no tags, and is known by that.
    const hashed = factory.length === 0 ? factory : (context: FillContext) => factory(new HashedContext(context, this.#names))
    return super.getOrSet(this.#names.key(key), hashed, told(this.#tagged(options), () => key))
  }

  override async writeThrough<T> (key: string, write: () => T | Promise<T>, options?: SetOptions): Promise<T> {
    return super.writeThrough(this.#names.key(key), write, this.#tagged(options))
  }

  /** By `get` of each. */
  override async getMany<T = unknown> (keys: readonly string[], options?: ReadOptions): Promise<(T | undefined)[]> {
    return Promise.all(keys.map(key => this.get<T>(key, options)))
  }

  override async setMany (entries: Iterable<readonly [key: string, value: unknown]>, options?: SetOptions): Promise<void> {
    return super.setMany(Array.from(entries, ([key, value]) => [this.#names.key(key), value] as const), this.#tagged(options))
  }

  override async getOrSetMany<Id, T> (ids: readonly Id[], loadMissing: LoadMissing<Id, T>, options: GetOrSetManyOptions<Id> = {}): Promise<(T | undefined)[]> {
    const { key: keyOf = String } = options
    const keys = new Map<string, string>()
    const key = (id: Id) => {
      const own = keyOf(id)
      const name = this.#names.key(own)
      keys.set(name, own)
      return name
    }
    return super.getOrSetMany(ids, loadMissing, { ...told(this.#tagged(options), name => keys.get(name)!), key })
  }

  override async delete (...keys: string[]): Promise<DropReport> {
    return super.delete(...keys.map(key => this.#names.key(key)))
  }

  /** @throws FST_RSP_CACHE_PATTERN_HASHED, always */
  override async deletePattern (): Promise<DropReport> {
    return this.#names.pattern()
  }

  override async invalidateTags (...tags: string[]): Promise<DropReport> {
    return super.invalidateTags(...this.#names.tags(tags))
  }

  override async expire (...keys: string[]): Promise<DropReport> {
    return super.expire(...keys.map(key => this.#names.key(key)))
  }

  #tagged<Options extends SetOptions> (options: Options | undefined): Options | undefined {
    return options?.tags === undefined ? options : { ...options, tags: this.#names.tags(options.tags) }
  }
}

/** The context of a factory, whose tags are hashed too. */
class HashedContext implements FillContext {
  readonly #context: FillContext
  readonly #names: HashedNames

  constructor (context: FillContext, names: HashedNames) {
    this.#context = context
    this.#names = names
  }

  // Properties, not methods: factories take their context apart.
  readonly ttl: FillContext['ttl'] = ttl => this.#context.ttl(ttl)
  readonly tag = (...tags: string[]): void => this.#context.tag(...this.#names.tags(tags))
  readonly skip = (): void => this.#context.skip()

  get stale (): unknown {
    return this.#context.stale
  }

  get signal (): AbortSignal {
    return this.#context.signal
  }
}

/** The same options, whose report names the key as the caller does. */
function told<Options extends ReadOptions> (options: Options | undefined, keyOf: (name: string) => string): Options | undefined {
  const { onReport } = options ?? {}
  return onReport === undefined ? options : { ...options!, onReport: report => onReport({ ...report, key: keyOf(report.key) }) }
}
