/** A user's gate as the model sees it. */
export interface ModelGate { n: string, g: number, e: string }
/** A copy, or only the knowledge that it is dead. */
export interface ModelCopy { x?: true, n: string, v: number, f: Record<string, string> }

export interface Lease { n: string, g: number }

/** What the scripts do, on values and without time; after the model that was explored exhaustively. */
export class ScriptsModel {
  era = 1
  gate: ModelGate | null = null
  copies = new Map<string, ModelCopy>()

  read (hash: string, fresh: string): unknown[] {
    const copy = this.copies.get(hash)
    if (copy?.x) return ['DEAD']
    if (this.gate === null || this.gate.e !== String(this.era)) {
      this.gate = { n: fresh, g: 0, e: String(this.era) }
      return ['MISS', fresh, '0']
    }
    const { n, g } = this.gate
    return copy === undefined || copy.n !== n ? ['MISS', n, String(g)] : ['HIT', n, String(g), copy.v, copy.f]
  }

  fill (hash: string, lease: Lease, v: number, f: Record<string, string>): number {
    const copy = this.copies.get(hash)
    if (!this.holds(lease) || copy?.x) return 0
    if (copy !== undefined && copy.n === lease.n && copy.v >= v) return 2
    this.put(hash, lease.n, v, f)
    return 1
  }

  kill (hashes: readonly string[], dead: readonly boolean[]): number {
    hashes.forEach((hash, i) => {
      if (dead[i]) this.bury(hash)
      else if (!this.copies.get(hash)?.x) this.copies.delete(hash)
    })
    this.advance()
    return 1
  }

  activate (hash: string, victims: readonly string[], lease: Lease, f: Record<string, string>): number {
    for (const victim of victims) this.bury(victim)
    return this.store(hash, lease, 1, f)
  }

  save (hash: string, v: number, set: Record<string, string>, deleted: readonly string[]): number {
    const copy = this.copies.get(hash)
    if (copy === undefined || copy.x || copy.n !== this.gate?.n) {
      this.advance()
      return 0
    }
    if (copy.v >= v) return 2
    if (copy.v < v - 1) {
      this.copies.delete(hash)
      this.advance()
      return 0
    }
    copy.v = v
    Object.assign(copy.f, set)
    for (const name of deleted) delete copy.f[name]
    return 1
  }

  touch (hash: string): number {
    const copy = this.copies.get(hash)
    return copy !== undefined && !copy.x && copy.n === this.gate?.n ? 1 : 0
  }

  rotate (old: string, next: string, lease: Lease, v: number, f: Record<string, string>): number {
    if (!this.copies.get(old)?.x) this.copies.delete(old)
    return this.store(next, lease, v, f)
  }

  bury (hash: string): number {
    this.copies.set(hash, { x: true, n: '', v: 0, f: {} })
    return 1
  }

  private holds (lease: Lease): boolean {
    return this.gate !== null && this.gate.n === lease.n && this.gate.g === lease.g
  }

  private advance (): void {
    if (this.gate !== null) this.gate.g++
  }

  private put (hash: string, n: string, v: number, f: Record<string, string>): void {
    this.copies.set(hash, { n, v, f: { ...f } })
  }

  private store (hash: string, lease: Lease, v: number, f: Record<string, string>): number {
    const stored = this.holds(lease) && !this.copies.get(hash)?.x
    if (stored) this.put(hash, lease.n, v, f)
    this.advance()
    return stored ? 1 : 0
  }
}
