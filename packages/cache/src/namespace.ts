import { type DropReport, randomToken } from '@respite/redis'
import { type Body, type Writing, storedOf } from './codecs/body.ts'
import { type Dropper, type Target, allSettled } from './drop-queue.ts'
import { HashedNames } from './hashed-names.ts'
import { Journal } from './journal.ts'
import { Places } from './keys.ts'
import { linkErrorOnly } from './link-errors.ts'
import { Loader } from './loader.ts'
import { LocalCopies } from './local-copies.ts'
import { parsePattern } from './pattern.ts'
import { Reader } from './reader.ts'
import { encodeRecord } from './record.ts'
import type { Surroundings } from './surroundings.ts'
import { MemoryStore } from './stores/memory.ts'
import { RedisStore } from './stores/redis.ts'
import type { Entry, Store } from './stores/store.ts'

/** What one namespace settles for itself, complete. */
export interface NamespaceSettings {
  readonly ttlMs: number
  readonly maxItems: number
  readonly maxBytes: number
  readonly label: string
  readonly writing: Writing
  readonly hashKeys: boolean
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
  readonly journal: Journal
  /** Undefined where keys are called by themselves. */
  readonly names: HashedNames | undefined
  readonly leaseMs: number
  readonly #around: Surroundings

  constructor (around: Surroundings, ns: string, settings: NamespaceSettings) {
    const { link, clock, chance, invalidations, options, waiting, onHidden } = around
    const { maxItems, maxBytes } = settings
    const copy = options.values === 'cloned'
    this.#around = around
    this.ns = ns
    this.settings = settings
    this.names = settings.hashKeys ? new HashedNames(options.keySecret!, ns) : undefined
    this.places = new Places(around.shapes, ns)
    this.leaseMs = options.lease
    this.journal = new Journal(ns, around.meters(settings.label), around.events)
    this.local = new LocalCopies(invalidations, clock, { maxItems, maxBytes, maxAgeMs: options.localMaxAge, onEvict: key => this.journal.evicted(key) })
    this.store = link.embedded ? new MemoryStore(clock, { maxItems, maxBytes }) : new RedisStore(link, this.places, clock)
    const { store, places, local, journal, leaseMs } = this
    this.reader = new Reader({ store, places, local, invalidations, clock, journal, copy })
    this.loader = new Loader({ store, reader: this.reader, places, waiting, clock, chance, journal, leaseMs, copy, writing: settings.writing, onHidden })
  }

  /** What a key is called here. */
  nameOf (key: string): string {
    return this.names === undefined ? key : this.names.key(key)
  }

  /** Stores a value, whatever it replaces; while Redis is down, what it would have replaced is queued to be dropped. */
  async put (key: string, body: Body, { ttlMs, tags }: { ttlMs: number, tags: readonly string[] }): Promise<void> {
    try {
      const [stored, { ns, tags: nonces }] = await Promise.all([storedOf(body, this.settings.writing.compression), this.store.mint(tags, true)])
      const snapshot = { ns: ns!, tags: nonces as Map<string, string> }
      const record = encodeRecord({ id: randomToken(), snapshot, ttlMs, costMs: 0, ...stored })
      await this.store.put(key, { record, softMs: ttlMs, hardMs: ttlMs })
      this.journal.set(key, { ttlMs, bytes: record.length })
      this.#keep(tags, ttlMs)
    } catch (error) {
      linkErrorOnly(error)
      // Redis may still hold what was there before.
      this.#around.queue.add(this, { kind: 'key', name: key })
    } finally {
      this.#spoil({ kind: 'key', name: key })
    }
  }

  /** Stores a value under a lease that was taken for a write; refused, whatever lies there goes. */
  async fillOver (key: string, token: string, { entry, tags }: { entry: Entry, tags: readonly string[] }): Promise<boolean> {
    try {
      const stored = await this.store.fill(key, token, { ...entry, onRefuse: 'drop' })
      if (stored) this.#keep(tags, entry.hardMs)
      return stored
    } finally {
      this.#spoil({ kind: 'key', name: key })
    }
  }

  /** Drops, and says of what Redis has not acknowledged that it is queued. */
  async invalidate (targets: readonly Target[]): Promise<DropReport> {
    const waits: Promise<void>[] = []
    const counts = await Promise.all(targets.map(async target => {
      try {
        const dropped = await this.execute(target)
        this.journal.invalidated(target, dropped, false)
        return dropped
      } catch (error) {
        linkErrorOnly(error)
        this.journal.invalidated(target, 0, true)
        waits.push(this.#around.queue.add(this, target))
        return 0
      }
    }))
    return { dropped: counts.reduce((sum, count) => sum + count, 0), queued: waits.length, settled: allSettled(waits) }
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

  #keep (tags: readonly string[], hardMs: number): void {
    this.store.keep(tags, hardMs).catch(error => this.#around.onHidden('keep tags', error))
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
}
