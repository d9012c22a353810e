import { FST_RSP_SESSION_STORE_CLOSED } from '../errors.ts'

/** The calls of a store that are not over, so that its end can wait for them. */
export class UnderWay {
  readonly #calls = new Set<Promise<unknown>>()
  #ended: Promise<void> | undefined

  /** @throws FST_RSP_SESSION_STORE_CLOSED once the end has begun */
  async add<T> (work: () => Promise<T>): Promise<T> {
    if (this.#ended !== undefined) throw new FST_RSP_SESSION_STORE_CLOSED()
    const call = work()
    this.#calls.add(call)
    try {
      return await call
    } finally {
      this.#calls.delete(call)
    }
  }

  /** Takes no more, and waits for what is under way, at most so long; then calls `last`, once. */
  end (withinMs: number, last: () => Promise<void>): Promise<void> {
    this.#ended ??= this.#over(withinMs).then(last)
    return this.#ended
  }

  #over (withinMs: number): Promise<void> {
    return new Promise(resolve => {
      const timer = setTimeout(resolve, withinMs)
      Promise.allSettled(this.#calls).then(() => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
