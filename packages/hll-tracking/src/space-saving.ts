// Counters that one batch takes away at most, as the script does: a list whose capacity was lowered shrinks in steps.
const mostGone = 2_000

/** One of those who are seen most often. */
export interface TopEntry {
  /** Never less than the true number of calls. */
  count: number
  /** By how much `count` may be too high. */
  maxOver: number
}

interface Counter extends TopEntry {
  readonly member: string
  /** `count` when the counter was put where it lies in the heap; what was added since is seen when it comes up. */
  key: number
}

/**
 * The most frequent members of a stream, in bounded memory. Twin of the summary in lua/flush.lua.
 * @see A. Metwally, D. Agrawal, A. El Abbadi, Efficient computation of frequent and top-k elements in data streams (2005)
 */
export class SpaceSaving {
  readonly #capacity: number
  readonly #counters = new Map<string, Counter>()
  // Smallest key first, then smallest member, as ZPOPMIN has it.
  readonly #heap: Counter[] = []
  #floor = 0

  /**
   * @param capacity - members it holds at most
   * @param begun - what another has counted, whose capacity may have been larger: it shrinks with the batches
   */
  constructor (capacity: number, begun?: Pick<SpaceSaving, 'floor' | 'entries'>) {
    this.#capacity = capacity
    if (begun === undefined) return
    this.#floor = begun.floor
    for (const [member, { count, maxOver }] of begun.entries()) this.#put({ member, count, maxOver, key: count })
  }

  /** No member that is absent was seen more often than this. */
  get floor (): number {
    return this.#floor
  }

  get size (): number {
    return this.#counters.size
  }

  entries (): Iterable<[string, Readonly<TopEntry>]> {
    return this.#counters.entries()
  }

  get (member: string): Readonly<TopEntry> | undefined {
    return this.#counters.get(member)
  }

  /**
   * Takes a member out, as if it had never been there; false when it is not. Its place is free, and the floor stays: who comes
   * next takes the floor over, so that no count is under the truth. A count is never under the floor, so the counts still add
   * up to no more than all calls, those taken out included, and the floor is at most these divided by the capacity.
   */
  remove (member: string): boolean {
    if (!this.#counters.delete(member)) return false
    const others = this.#heap.filter(counter => counter.member !== member)
    this.#heap.length = 0
    for (const counter of others) this.#put(counter)
    return true
  }

  /**
   * Counts a batch: first those who are known, so that nobody of this batch is put out before his calls were seen.
   * @param batch - each member once, the least calls first: so those who come in are in the order of their counts
   */
  add (batch: readonly { member: string, calls: number }[]): void {
    const fresh = batch.filter(({ member, calls }) => {
      const counter = this.#counters.get(member)
      if (counter !== undefined) counter.count += calls
      return counter === undefined
    })
    const olds = this.#least(Math.min(mostGone, this.#counters.size + fresh.length - this.#capacity))
    const news: Counter[] = []
    let [size, old, young] = [this.#counters.size + olds.length, 0, 0]
    for (const { member, calls } of fresh) {
      for (; size >= this.#capacity && (old < olds.length || young < news.length); size--) {
        const least = old < olds.length && (young >= news.length || olds[old]!.count <= news[young]!.count) ? olds[old++]! : news[young++]!
        this.#floor = Math.max(this.#floor, least.count)
      }
      news.push({ member, count: this.#floor + calls, maxOver: this.#floor, key: this.#floor + calls })
      size++
    }
    for (const counter of [...olds.slice(old), ...news.slice(young)]) this.#put(counter)
  }

  // Takes out so many with the lowest counts, if there are as many.
  #least (wanted: number): Counter[] {
    const least: Counter[] = []
    while (least.length < wanted && this.#heap.length > 0) least.push(this.#popMin())
    return least
  }

  #popMin (): Counter {
    for (;;) {
      const least = this.#heap[0]!
      if (least.key === least.count) {
        const last = this.#heap.pop()!
        if (this.#heap.length > 0) this.#sink(last)
        this.#counters.delete(least.member)
        return least
      }
      least.key = least.count
      this.#sink(least)
    }
  }

  #put (counter: Counter): void {
    this.#counters.set(counter.member, counter)
    let at = this.#heap.length
    for (let up; at > 0 && before(counter, this.#heap[up = (at - 1) >> 1]!); at = up) this.#heap[at] = this.#heap[up]!
    this.#heap[at] = counter
  }

  // Puts a counter in place of the first, and lower until all below it are larger.
  #sink (counter: Counter): void {
    const heap = this.#heap
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
      if (!before(heap[child]!, counter)) break
      heap[at] = heap[child]!
      at = child
    }
    heap[at] = counter
  }
}

const before = (a: Counter, b: Counter) => a.key < b.key || (a.key === b.key && a.member < b.member)
