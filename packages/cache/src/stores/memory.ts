import { LRUCache } from 'lru-cache'
import { type Clock, randomToken } from '@respite/redis'
import type { Pattern } from '../pattern.ts'
import { recordId } from '../record.ts'
import { type Entry, type Question, type Reply, type Store, type Tick, type Versions, markMs } from './store.ts'

/** What a memory store may hold. */
export interface MemoryBounds {
  readonly maxItems: number
  readonly maxBytes: number
}

interface Held { record: Buffer, softAt: number, hardAt: number }
interface Lease { text: string, until: number }

/** A namespace's entries in this process: for embedded apps and tests. Every step is atomic because none waits. */
export class MemoryStore implements Store {
  readonly #clock: Clock
  readonly #values: LRUCache<string, Held>
  // As many as entries; what falls out costs a refused fill, or a miss.
  readonly #leases: LRUCache<string, Lease>
  readonly #tags: LRUCache<string, Tick & { nonce: string }>
  #ns: string | null = null
  readonly #clockOf = { g: randomToken(), s: 0 }

  constructor (clock: Clock, bounds: MemoryBounds) {
    this.#clock = clock
    this.#leases = new LRUCache({ max: bounds.maxItems })
    this.#tags = new LRUCache({ max: bounds.maxItems })
    this.#values = new LRUCache({
      max: bounds.maxItems,
      maxSize: bounds.maxBytes,
      sizeCalculation: (held, key) => held.record.length + 2 * key.length + 200
    })
  }

  async read ({ key, tags, lease }: Question): Promise<Reply> {
    const versions: Versions = { ns: this.#ns, tags: this.#versions(tags), ...(lease?.clock === true ? { clock: { ...this.#clockOf } } : {}) }
    const held = this.#live(key)
    if (held !== undefined && lease?.except !== recordId(held.record)) {
      const leftMs = held.softAt - this.#clock.monotonicMs()
      if (leftMs > 0 || lease === undefined) return answer(leftMs > 0 ? 'HIT' : 'STALE', { leftMs: Math.max(0, leftMs), record: held.record, versions })
      return this.#acquire(key, lease, { record: held.record, pastMs: held.softAt === 0 ? 0 : -leftMs, versions })
    }
    if (lease === undefined) return answer('MISS', { versions })
    return this.#acquire(key, lease, { versions })
  }

  #acquire (key: string, { token, leaseMs, waited }: NonNullable<Question['lease']>, found: Partial<Reply> & { versions: Versions }): Reply {
    const now = this.#clock.monotonicMs()
    const lease = this.#leaseOf(key)
    if (waited !== '' && lease === `F:${waited}`) return answer('FAILED', found)
    if (waited !== '' && lease === `S:${waited}`) return answer('SKIPPED', found)
    const state = found.record === undefined ? 'MISS' : 'STALE'
    if (lease?.startsWith('T:') && lease !== `T:${token}`) return answer(state, { ...found, lease: 'WAIT', holder: lease.slice(2) })
    this.#leases.set(key, { text: `T:${token}`, until: now + leaseMs })
    return answer(state, { ...found, lease: 'LEASED' })
  }

  async versions (tags: readonly string[]): Promise<Map<string, string | null>> {
    return this.#versions(tags)
  }

  async tag (tag: string): Promise<Tick & { nonce: string } | null> {
    return this.#tags.get(tag) ?? null
  }

  async clock (): Promise<Tick> {
    return { ...this.#clockOf }
  }

  async vouch (tag: string, nonce: string, tick: Tick): Promise<void> {
    if (this.#tags.get(tag)?.nonce === nonce) this.#tags.set(tag, { nonce, ...tick })
  }

  async mint (tags: readonly string[], ns: boolean): Promise<Versions> {
    if (ns) this.#ns ??= randomToken()
    for (const tag of tags) if (!this.#tags.has(tag)) this.#tags.set(tag, { nonce: randomToken(), g: '!', s: 0 })
    return { ns: this.#ns, tags: this.#versions(tags) }
  }

  async fill (key: string, token: string, entry: Entry): Promise<boolean> {
    if (this.#leaseOf(key) !== `T:${token}`) {
      if (entry.onRefuse === 'drop') this.#drop(key)
      return false
    }
    this.#store(key, entry)
    return true
  }

  async done (key: string, token: string, how: 'F' | 'S' | '-'): Promise<void> {
    if (this.#leaseOf(key) !== `T:${token}`) return
    if (how === '-') this.#leases.delete(key)
    else this.#leases.set(key, { text: `${how}:${token}`, until: this.#clock.monotonicMs() + markMs })
  }

  async open (key: string, token: string, leaseMs: number): Promise<void> {
    this.#leases.set(key, { text: `T:${token}`, until: this.#clock.monotonicMs() + leaseMs })
  }

  async put (key: string, entry: Entry): Promise<void> {
    this.#store(key, entry)
  }

  async drop (key: string): Promise<number> {
    return this.#drop(key)
  }

  async discard (key: string, id: string): Promise<void> {
    const held = this.#live(key)
    if (held !== undefined && recordId(held.record) === id) this.#values.delete(key)
  }

  async soften (key: string): Promise<number> {
    this.#leases.delete(key)
    const held = this.#live(key)
    if (held === undefined) return 0
    held.softAt = 0
    return 1
  }

  async bump (tag: string): Promise<void> {
    this.#clockOf.s++
    this.#tags.set(tag, { nonce: randomToken(), ...this.#clockOf })
  }

  async keep (): Promise<void> {
    // Records here end by their number, not by time.
  }

  async clear (): Promise<void> {
    this.#ns = randomToken()
    this.#values.clear()
  }

  async dropPattern (pattern: Pattern): Promise<number> {
    let dropped = 0
    for (const key of [...this.#leases.keys(), ...this.#values.keys()]) if (pattern.test(key)) dropped += this.#drop(key)
    return dropped
  }

  #versions (tags: readonly string[]): Map<string, string | null> {
    return new Map(tags.map(tag => [tag, this.#tags.get(tag)?.nonce ?? null]))
  }

  #live (key: string): Held | undefined {
    const held = this.#values.get(key)
    if (held === undefined || held.hardAt > this.#clock.monotonicMs()) return held
    this.#values.delete(key)
    return undefined
  }

  #leaseOf (key: string): string | undefined {
    const lease = this.#leases.get(key)
    return lease !== undefined && lease.until > this.#clock.monotonicMs() ? lease.text : undefined
  }

  #store (key: string, { record, softMs, hardMs }: Entry): void {
    const now = this.#clock.monotonicMs()
    this.#values.set(key, { record, softAt: now + softMs, hardAt: now + hardMs })
    this.#leases.delete(key)
  }

  #drop (key: string): number {
    this.#leases.delete(key)
    const there = this.#live(key) !== undefined
    this.#values.delete(key)
    return there ? 1 : 0
  }
}

function answer (state: Reply['state'], parts: Partial<Reply> & { versions: Versions }): Reply {
  return { state, lease: parts.lease ?? '', holder: parts.holder ?? '', leftMs: parts.leftMs ?? 0, pastMs: parts.pastMs ?? 0, record: parts.record, versions: parts.versions }
}
