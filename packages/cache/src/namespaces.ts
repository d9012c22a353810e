import type { Clock } from '@respite/redis'
import { Cache } from './cache.ts'
import type { CacheEventName, CacheListener } from './events.ts'
import { FST_RSP_CACHE_NAMESPACE_TAKEN, FST_RSP_CACHE_NAMESPACES_TOO_MANY } from './errors.ts'
import { HashedCache } from './hashed-cache.ts'
import { Namespace, type NamespaceSettings } from './namespace.ts'
import { type NamespaceOptions, rootSettings, settingsUnder } from './namespace-options.ts'
import type { Surroundings } from './surroundings.ts'
import type { CacheStats } from './stats.ts'

interface Member { readonly space: Namespace, readonly cache: Cache, readonly given: string }

/** Each has bounds of its own, so their number is bounded too. */
const maxNamespaces = 256

/** All namespaces of an app, by full name. */
export class Namespaces {
  readonly root: Cache
  readonly clock: Clock
  readonly onHidden: Surroundings['onHidden']
  readonly #around: Surroundings
  readonly #members = new Map<string, Member>()

  constructor (around: Surroundings) {
    this.#around = around
    this.clock = around.clock
    this.onHidden = around.onHidden
    this.root = this.#make(around.options.prefix, rootSettings(around.options), '').cache
  }

  under (parent: Namespace, name: string, options: NamespaceOptions | undefined): Cache {
    const ns = `${parent.ns}:${name}`
    const there = this.#members.get(ns)
    const given = JSON.stringify(options ?? {})
    if (there !== undefined) {
      if (options !== undefined && given !== there.given) throw new FST_RSP_CACHE_NAMESPACE_TAKEN(name)
      return there.cache
    }
    if (this.#members.size >= maxNamespaces) throw new FST_RSP_CACHE_NAMESPACES_TOO_MANY(name, maxNamespaces)
    return this.#make(ns, settingsUnder(parent.settings, { name, given: options, options: this.#around.options }), given).cache
  }

  on<Name extends CacheEventName> (name: Name, listener: CacheListener<Name>): () => void {
    return this.#around.events.on(name, listener)
  }

  /** The namespace of this full name. */
  find (ns: string): Namespace | undefined {
    return this.#members.get(ns)?.space
  }

  /** Keys of Redis have changed: what lies here of them ends. */
  changed (keys: readonly string[]): void {
    const { val, tag, ns } = this.#around.shapes
    for (const key of keys) {
      const parts = val.parts(key)
      if (parts !== undefined) {
        this.find(parts[0]!)?.changed(parts[1]!)
        continue
      }
      const tagParts = tag.parts(key)
      if (tagParts !== undefined) this.find(tagParts[0]!)?.local.deleteTag(tagParts[1]!)
      else this.find(ns.parts(key)?.[0] ?? '')?.local.clear()
    }
  }

  forgetLocal (): void {
    for (const { space } of this.#members.values()) space.forgetLocal()
  }

  stats (): CacheStats {
    const { queue, invalidations } = this.#around
    const stats: CacheStats = { hits: { l1: 0, l2: 0 }, misses: 0, hitRatio: 0, entries: 0, bytes: 0, evictions: 0, queued: queue.size, local: invalidations.armed }
    const labels = new Set<string>()
    for (const { space } of this.#members.values()) {
      stats.entries += space.local.size
      stats.bytes += space.local.bytes
      stats.evictions += space.local.evictions
      // Namespaces of one label count in one series.
      if (labels.has(space.settings.label)) continue
      labels.add(space.settings.label)
      stats.hits.l1 += space.journal.meters.hitsL1.value
      stats.hits.l2 += space.journal.meters.hitsL2.value
      stats.misses += space.journal.meters.missesL2.value
    }
    const hits = stats.hits.l1 + stats.hits.l2
    stats.hitRatio = hits + stats.misses === 0 ? 0 : hits / (hits + stats.misses)
    return stats
  }

  #make (ns: string, settings: NamespaceSettings, given: string): Member {
    const space = new Namespace(this.#around, ns, settings)
    const { names } = space
    const member = { space, cache: names === undefined ? new Cache(this, space) : new HashedCache({ all: this, space, names }), given }
    this.#members.set(ns, member)
    return member
  }
}
