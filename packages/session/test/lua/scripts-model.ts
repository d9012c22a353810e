/** A user's gate as the model sees it. */
export interface ModelGate { n: string, g: number, e: string }
/** A copy, or only the knowledge that it is dead. `until` is its expiry; a tombstone has none here, since nothing rests on it. */
export interface ModelCopy { x?: true, n: string, v: number, f: Record<string, string>, until?: number }
/** What Redis holds of one user. */
export interface ModelRedis { gate: ModelGate | null, copies: Record<string, ModelCopy> }

export interface Lease { n: string, g: number }
/** What a row gives its copy: version, fields, and the time it has left. */
export interface ModelContent { v: number, f: Record<string, string>, ttl: number }

/** What the scripts do, on values; time stands still at `now`. The walks of test/model run on it. */
export class ScriptsModel {
  readonly redis: ModelRedis
  readonly now: number

  constructor (redis: ModelRedis = { gate: null, copies: {} }, now = 0) {
    this.redis = redis
    this.now = now
  }

  read (hash: string, fresh: string, era: string): unknown[] {
    const copy = this.copy(hash)
    if (copy?.x) return ['DEAD']
    const { gate } = this.redis
    if (gate === null || gate.e !== era) {
      this.redis.gate = { n: fresh, g: 0, e: era }
      return ['MISS', fresh, '0']
    }
    const { n, g } = gate
    return copy === undefined || copy.n !== n ? ['MISS', n, String(g)] : ['HIT', n, String(g), copy.v, copy.f]
  }

  fill (hash: string, lease: Lease, content: ModelContent): number {
    const copy = this.copy(hash)
    if (!this.holds(lease) || content.ttl < 1 || copy?.x) return 0
    if (copy !== undefined && copy.n === lease.n && copy.v >= content.v) return 2
    this.put(hash, lease.n, content)
    return 1
  }

  kill (hashes: readonly string[], dead: readonly boolean[]): number {
    hashes.forEach((hash, i) => {
      if (dead[i]) this.bury(hash)
      else if (!this.copy(hash)?.x) delete this.redis.copies[hash]
    })
    this.advance()
    return 1
  }

  activate (hash: string, victims: readonly string[], lease: Lease, content: ModelContent): number {
    for (const victim of victims) this.bury(victim)
    return this.store(hash, lease, content)
  }

  save (hash: string, v: number, set: Record<string, string>, deleted: readonly string[]): number {
    const copy = this.copy(hash)
    if (copy === undefined || copy.x || copy.n !== this.redis.gate?.n) {
      this.advance()
      return 0
    }
    if (copy.v >= v) return 2
    if (copy.v < v - 1) {
      delete this.redis.copies[hash]
      this.advance()
      return 0
    }
    copy.v = v
    Object.assign(copy.f, set)
    for (const name of deleted) delete copy.f[name]
    return 1
  }

  touch (hash: string, ttl: number): number {
    const copy = this.copy(hash)
    if (copy === undefined || copy.x || copy.n !== this.redis.gate?.n) return 0
    copy.until = Math.max(copy.until ?? 0, this.now + ttl)
    return 1
  }

  rotate (old: string, next: string, lease: Lease, content: ModelContent): number {
    if (!this.copy(old)?.x) delete this.redis.copies[old]
    return this.store(next, lease, content)
  }

  bury (hash: string): number {
    this.redis.copies[hash] = { x: true, n: '', v: 0, f: {} }
    return 1
  }

  protected copy (hash: string): ModelCopy | undefined {
    const copy = this.redis.copies[hash]
    return copy?.until !== undefined && copy.until <= this.now ? undefined : copy
  }

  protected holds (lease: Lease): boolean {
    const { gate } = this.redis
    return gate !== null && gate.n === lease.n && gate.g === lease.g
  }

  protected advance (): void {
    if (this.redis.gate !== null) this.redis.gate.g++
  }

  protected put (hash: string, n: string, { v, f, ttl }: ModelContent): void {
    this.redis.copies[hash] = { n, v, f: { ...f }, until: this.now + ttl }
  }

  private store (hash: string, lease: Lease, content: ModelContent): number {
    const stored = this.holds(lease) && content.ttl > 0 && !this.copy(hash)?.x
    if (stored) this.put(hash, lease.n, content)
    this.advance()
    return stored ? 1 : 0
  }
}
