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

const capacity = 1_000
const longest = 256

/**
 * Who is refused most, in this process: Space-Saving with 1,000 counters.
 * @see Metwally, Agrawal, El Abbadi, "Efficient Computation of Frequent and Top-k Elements in Data Streams", 2005
 */
export class TopRefused {
  readonly #counters = new Map<string, RefusedCaller>()

  /** @param subject - what `key` is counted under: it tells long ones apart, and is short */
  note (limit: string, key: string, subject: string): void {
    const name = `${limit.length} ${limit}${subject}`
    const known = this.#counters.get(name)
    if (known !== undefined) {
      known.refused++
      return
    }
    const floor = this.#counters.size < capacity ? 0 : this.#dropLeast()
    this.#counters.set(name, { limit, key: shown(key), refused: floor + 1, maxOver: floor })
  }

  /** @param k - how many; the most often refused first */
  top (k: number): RefusedCaller[] {
    return [...this.#counters.values()].sort((a, b) => b.refused - a.refused).slice(0, k).map(counter => ({ ...counter }))
  }

  #dropLeast (): number {
    let least: [string, RefusedCaller] | undefined
    for (const entry of this.#counters) if (least === undefined || entry[1].refused < least[1].refused) least = entry
    this.#counters.delete(least![0])
    return least![1].refused
  }
}

// Copied: a part of a text keeps all of it alive, and a key may be a part of a large body.
const shown = (key: string) => Buffer.from(key.slice(0, longest), 'utf16le').toString('utf16le') + (key.length > longest ? '…' : '')
