import type { Ask, Limiter, Ruling } from '../limiter.ts'
import type { Meter } from '../meters.ts'

/** Whom a route's limit counts, as it is known here. */
export interface RouteAsk extends Ask {
  readonly meter: Meter
  /** The key as it was given; for `top` alone. */
  readonly who: string
}

/** A question under way, and its answer. */
export class Pending {
  readonly asks: readonly RouteAsk[]
  /** Of the same request, settled before. */
  previous: Pending | undefined
  #ruling: Ruling | undefined
  #listener: ((ruling: Ruling) => void) | undefined

  constructor (asks: readonly RouteAsk[], limiter: Limiter) {
    this.asks = asks
    limiter.take(asks, ruling => {
      this.#ruling = ruling
      this.#listener?.(ruling)
    })
  }

  /** Undefined while it is under way. */
  get ruling (): Ruling | undefined { return this.#ruling }

  /** At once if the answer is there. */
  whenRuled (listener: (ruling: Ruling) => void): void {
    if (this.#ruling === undefined) this.#listener = listener
    else listener(this.#ruling)
  }
}
