import { type DropReport, type LinkError, randomToken } from '@respite/redis'
import type { Dropper, Target } from './drop-queue.ts'
import { Places } from './keys.ts'
import { Loader } from './loader.ts'
import { LocalCopies } from './local-copies.ts'
import type { Meters } from './metrics.ts'
import { parsePattern } from './pattern.ts'
import { Reader } from './reader.ts'
import { encodeRecord } from './record.ts'
import type { Surroundings } from './surroundings.ts'
import { MemoryStore } from './stores/memory.ts'
import { RedisStore } from './stores/redis.ts'
import type { Store } from './stores/store.ts'

/** What one namespace settles for itself, complete. */
export interface NamespaceSettings {
  readonly ttlMs: number
  readonly maxItems: number
  readonly maxBytes: number
  readonly label: string
}

/** The parts of one namespace, and its writes. */
export class Namespace implements Dropper {
  readonly ns: string
  readonly settings: NamespaceSettings
  readonly places: Places
  readonly local: LocalCopies
  readonly store: Store
  readonly reader: Reader
  readonly loader: Loader
  readonly meters: Meters
  readonly #around: Surroundings

  constructor (around: Surroundings, ns: string, settings: NamespaceSettings) {
    const { link, clock, chance, invalidations, options, waiting, onHidden } = around
    const { maxItems, maxBytes } = settings
    const copy = options.values === 'cloned'
    this.#around = around
    this.ns = ns
    this.settings = settings
    this.places = new Places(around.shapes, ns)
    this.meters = around.meters(settings.label)
    this.local = new LocalCopies(invalidations, clock, { maxItems, maxBytes, maxAgeMs: options.localMaxAge, onEvict: () => this.meters.evictions.inc() })
    this.store = link.embedded ? new MemoryStore(clock, { maxItems, maxBytes }) : new RedisStore(link, this.places)
    const { store, places, local, meters } = this
    this.reader = new Reader({ store, places, local, invalidations, clock, meters, copy })
    this.loader = new Loader({ store, reader: this.reader, places, waiting, clock, chance, meters, leaseMs: options.lease, copy, onHidden })
  }

  /** Stores a value, whatever it replaces; while Redis is down, what it would have replaced is queued to be dropped. */
  async put (key: string, body: string, { ttlMs, tags }: { ttlMs: number, tags: readonly string[] }): Promise<void> {
    try {
      const { ns, tags: nonces } = await this.store.mint(tags, true)
      const snapshot = { ns: ns!, tags: nonces as Map<string, string> }
      const record = encodeRecord({ id: randomToken(), snapshot, costMs: 0, body })
      await this.store.put(key, { record, softMs: ttlMs, hardMs: ttlMs })
      this.meters.ttl.observe(ttlMs / 1_000)
      if (tags.length > 0) this.store.keep(tags, ttlMs).catch(error => this.#around.onHidden('keep tags', error))
    } catch (error) {
      this.#linkErrorOnly(error)
      // Redis may still hold what was there before.
      this.#around.queue.add(this, { kind: 'key', name: key }).catch(() => undefined)
    } finally {
      this.#spoil({ kind: 'key', name: key })
    }
  }

  /** Drops, and says of what Redis has not acknowledged that it is queued. */
  async invalidate (targets: readonly Target[]): Promise<DropReport> {
    const waits: Promise<void>[] = []
    const counts = await Promise.all(targets.map(async target => {
      this.meters.invalidated(target.kind)
      try {
        return await this.execute(target)
      } catch (error) {
        this.#linkErrorOnly(error)
        waits.push(this.#around.queue.add(this, target))
        return 0
      }
    }))
    const settled = Promise.all(waits).then(() => undefined)
    settled.catch(() => undefined) // the caller may not wait for it
    return { dropped: counts.reduce((sum, count) => sum + count, 0), queued: waits.length, settled }
  }

  async execute (target: Target): Promise<number> {
    try {
      switch (target.kind) {
        case 'key': return await this.store.drop(target.name)
        case 'soft': return await this.store.soften(target.name)
        case 'pattern': return await this.store.dropPattern(parsePattern(target.name))
        case 'tag': await this.store.bump(target.name); return 0
        case 'clear': await this.store.clear(); return 0
      }
    } finally {
      // At the reply and before resolving: earlier, an answer on its way would be kept; also when it failed.
      this.#spoil(target)
    }
  }

  /** A push of the server: this key's entry has changed. */
  changed (key: string): void {
    this.local.delete(key)
    this.#around.waiting.wake(this.places.val(key))
  }

  /** All local copies go, also those on their way. */
  forgetLocal (): void {
    this.local.clear()
    this.reader.spoil()
    this.loader.forget()
  }

  #spoil ({ kind, name }: Target): void {
    const { invalidations } = this.#around
    if (kind === 'key' || kind === 'soft') {
      this.local.delete(name)
      this.loader.forget(name)
      invalidations.changedHere([this.places.val(name)])
    } else if (kind === 'tag') {
      this.local.deleteTag(name)
      this.loader.forget()
      invalidations.changedHere([this.places.tag(name)])
    } else if (kind === 'pattern') {
      const pattern = parsePattern(name)
      this.local.deleteMatching(pattern)
      this.reader.spoil(pattern)
      this.loader.forget()
    } else {
      this.forgetLocal()
      invalidations.changedHere([this.places.nsKey])
    }
  }

  #linkErrorOnly (error: unknown): void {
    if ((error as Partial<LinkError>).outcome === undefined) throw error
  }
}
