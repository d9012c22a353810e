import { keptSeconds, type SampleField, sampleFields, type SampleRow } from '../../src/dashboard/frame.ts'

/** The last 15 minutes, second by second. */
export class Seconds {
  readonly #columns = new Map<SampleField, Array<number | null>>(sampleFields.map(field => [field, []]))

  get length (): number {
    return this.column('atMs').length
  }

  /** Forgets everything. */
  clear (): void {
    for (const column of this.#columns.values()) column.length = 0
  }

  /** Adds the newest second. */
  add (row: SampleRow): void {
    this.#dropFrom(row[sampleFields.indexOf('atMs')] ?? 0)
    for (const [i, field] of sampleFields.entries()) {
      const column = this.column(field)
      column.push(row[i] ?? null)
      if (column.length > keptSeconds) column.shift()
    }
  }

  /** What a field was in each second, the oldest first. */
  column (field: SampleField): Array<number | null> {
    return this.#columns.get(field)!
  }

  /** How often a second something was in each. */
  rates (field: SampleField): number[] {
    const lengths = this.column('seconds')
    return this.column(field).map((count, i) => (count ?? 0) / (lengths[i] || 1))
  }

  /** How often a second something was in the last so many. */
  rate (field: SampleField, seconds: number): number {
    return this.#sum(field, seconds) / (this.#sum('seconds', seconds) || 1)
  }

  /** Of the reads in so many seconds, the part that the cache answered; up to a second that has its number. Null without reads. */
  hitRatio (seconds: number, until = this.length): number | null {
    const hits = this.#sum('hitsL1', seconds, until) + this.#sum('hitsL2', seconds, until)
    const reads = hits + this.#sum('misses', seconds, until)
    return reads === 0 ? null : hits / reads
  }

  // A server whose clock was set back tells some times twice: a line goes one way, and the newer is true.
  #dropFrom (atMs: number): void {
    let kept = this.length
    while (kept > 0 && this.column('atMs')[kept - 1]! >= atMs) kept--
    for (const column of this.#columns.values()) column.length = kept
  }

  #sum (field: SampleField, seconds: number, until = this.length): number {
    const column = this.column(field)
    let sum = 0
    for (let i = Math.max(0, until - seconds); i < until; i++) sum += column[i] ?? 0
    return sum
  }
}
