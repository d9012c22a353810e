/** Callers who wait for another's fill: woken by a push for the key, or by their own timer. */
export class Waiting {
  readonly #sleepers = new Map<string, Set<() => void>>()

  /** Resolves at `wake(key)`, and at the latest after `ms`. */
  pause (key: string, ms: number): Promise<void> {
    return new Promise(resolve => {
      const sleepers = this.#sleepers.get(key) ?? new Set()
      const wake = () => {
        clearTimeout(timer)
        sleepers.delete(wake)
        if (sleepers.size === 0 && this.#sleepers.get(key) === sleepers) this.#sleepers.delete(key)
        resolve()
      }
      const timer = setTimeout(wake, ms)
      this.#sleepers.set(key, sleepers.add(wake))
    })
  }

  wake (key: string): void {
    for (const wake of [...this.#sleepers.get(key) ?? []]) wake()
  }
}
