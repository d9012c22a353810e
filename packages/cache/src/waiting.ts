/** Callers who wait for another's fill: woken by a push for the key, or by their own timer. */
export class Waiting {
  readonly #watches = new Map<string, Set<Watch>>()

  /**
   * Hears each `wake(key)` from now on. To be taken before the store is asked: the push that says that the other has
   * filled may come while the answer that says to wait for it is still on its way.
   */
  watch (key: string): Watch {
    const watches = this.#watches.get(key) ?? new Set()
    const watch = new Watch(() => {
      watches.delete(watch)
      if (watches.size === 0 && this.#watches.get(key) === watches) this.#watches.delete(key)
    })
    this.#watches.set(key, watches.add(watch))
    return watch
  }

  /** Whether what another does ends within so long; it is not waited for any longer. Rejects as it does. */
  async ends (outcome: Promise<unknown>, ms: number): Promise<boolean> {
    const landing = new Watch(() => undefined)
    let ended = false
    const end = outcome.finally(() => {
      ended = true
      landing.wake()
    })
    await Promise.race([end, landing.pause(ms)])
    return ended
  }

  wake (key: string): void {
    for (const watch of this.#watches.get(key) ?? []) watch.wake()
  }
}

/** What one caller hears of one key, until it is ended. */
export class Watch {
  readonly end: () => void
  #woken = false
  #rouse: (() => void) | undefined

  constructor (end: () => void) {
    this.end = end
  }

  /** Resolves if the key was woken since the watch began or was last paused, when it is, and at the latest after `ms`. */
  async pause (ms: number): Promise<void> {
    if (!this.#woken) {
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, ms)
        this.#rouse = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
    this.#woken = false
  }

  wake (): void {
    this.#woken = true
    this.#rouse?.()
  }
}
