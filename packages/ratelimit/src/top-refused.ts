import { countName } from './subject.ts'

/** Somebody whom a limit has refused. */
export interface RefusedCaller {
  /** The limit's name. */
  limit: string
  /** The address, the user's public name or the key, as the limit counts it; of a longer one the first 256 characters and `…`. */
  key: string
  /** Refusals since this process started; over the truth by at most `maxOver`. */
  refused: number
  maxOver: number
}

const longest = 256

/** Callers that are counted at once. */
export const mostTold = 1_000

/**
 * Who is refused most, in this process: Space-Saving with 1,000 counters, in buckets of those that count the same.
 * @see Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005
 */
export class TopRefused {
  readonly #counters = new Map<string, RefusedCaller>()
  /** The names that count so much, of which there are some; the first has counted so much longest. */
  readonly #buckets = new Map<number, Set<string>>()
  readonly #capacity: number
  #least = 1
  /** Goes through the bucket of the least: a set is slow to tell its first name after those before it have gone. */
  #oldest: { readonly bucket: Set<string>, readonly names: Iterator<string> } | undefined

  /** @param capacity - callers that are counted at once: of n refusals `maxOver` is at most n / capacity */
  constructor (capacity = mostTold) {
    this.#capacity = capacity
  }

  /** @param subject - what `key` is counted under: it tells long ones apart, and is short */
  note (limit: string, key: string, subject: string): void {
    const name = countName(limit, subject)
    const known = this.#counters.get(name)
    if (known !== undefined) {
      this.#leave(known.refused, name)
      this.#enter(++known.refused, name)
      return
    }
    const maxOver = this.#counters.size < this.#capacity ? 0 : this.#dropLeast()
    const refused = maxOver + 1
    this.#counters.set(name, { limit, key: shown(key), refused, maxOver })
    this.#enter(refused, name)
    if (maxOver === 0) this.#least = 1
  }

  /** @param k - how many; the most often refused first */
  top (k: number): RefusedCaller[] {
    return [...this.#counters.values()].sort((a, b) => b.refused - a.refused).slice(0, k).map(counter => ({ ...counter }))
  }

  #enter (count: number, name: string): void {
    const bucket = this.#buckets.get(count)
    if (bucket === undefined) this.#buckets.set(count, new Set([name]))
    else bucket.add(name)
  }

  #leave (count: number, name: string): void {
    const bucket = this.#buckets.get(count)!
    bucket.delete(name)
    if (bucket.size > 0) return
    this.#buckets.delete(count)
    // Whoever leaves, or comes for who was dropped, counts one more: no bucket is skipped, and none is searched.
    if (count === this.#least) this.#least++
  }

  #dropLeast (): number {
    const count = this.#least
    const bucket = this.#buckets.get(count)!
    if (this.#oldest?.bucket !== bucket) this.#oldest = { bucket, names: bucket.values() }
    const name: string = this.#oldest.names.next().value
    this.#leave(count, name)
    this.#counters.delete(name)
    return count
  }
}

// Copied: a part of a text keeps all of it alive, and a key may be a part of a large body.
const shown = (key: string) => Buffer.from(key.slice(0, longest), 'utf16le').toString('utf16le') + (key.length > longest ? '…' : '')
