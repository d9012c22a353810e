/** The last so many values, each under a number that grows by one. */
export class Ring<T> {
  readonly #values: T[] = []
  readonly #capacity: number
  #next = 0

  /** @param capacity - values that are kept; the oldest goes first */
  constructor (capacity: number) {
    this.#capacity = capacity
  }

  /** The number of the newest; -1 before the first. */
  get newest (): number {
    return this.#next - 1
  }

  /** @returns its number */
  push (value: T): number {
    this.#values[this.#next % this.#capacity] = value
    return this.#next++
  }

  /** A value that is kept; undefined for all others. */
  at (number: number): T | undefined {
    return number >= this.#oldest && number < this.#next ? this.#values[number % this.#capacity] : undefined
  }

  /** Whether everything that came after this number is still kept. */
  follows (number: number): boolean {
    return Number.isInteger(number) && number >= this.#oldest - 1 && number < this.#next
  }

  /** Everything that came after this number and is kept, the oldest first; by default all. */
  after (number = -1): T[] {
    const first = Math.max(this.#oldest, number + 1)
    return Array.from({ length: Math.max(0, this.#next - first) }, (_, i) => this.#values[(first + i) % this.#capacity]!)
  }

  get #oldest (): number {
    return Math.max(0, this.#next - this.#capacity)
  }
}
