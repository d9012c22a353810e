import type { Ask, Limiter, Ruling } from '../limiter.ts'
import type { Meter } from '../meters.ts'

/** Whom a route's limit counts, as it is known here. */
export interface RouteAsk extends Ask {
  readonly meter: Meter
  /** The key as it was given; for `top` and the app's hooks alone. */
  readonly who: string
}

/** Limits that are asked together, and their answer. */
export class Question {
  readonly asks: readonly RouteAsk[]
  #ruling: Ruling | undefined
  #listener: ((ruling: Ruling) => void) | undefined

  constructor (asks: readonly RouteAsk[], limiter: Limiter) {
    this.asks = asks
    if (asks.length === 0) this.#ruling = nothingAsked
    else {
      limiter.take(asks, ruling => {
        this.#ruling = ruling
        this.#listener?.(ruling)
      })
    }
  }

  /** Undefined while it is under way. */
  get ruling (): Ruling | undefined { return this.#ruling }

  /** At once if the answer is there; else in the order of the calls. */
  whenRuled (listener: (ruling: Ruling) => void): void {
    const before = this.#listener
    if (this.#ruling !== undefined) listener(this.#ruling)
    else if (before === undefined) this.#listener = listener
    else {
      this.#listener = ruling => {
        before(ruling)
        listener(ruling)
      }
    }
  }
}

/** A question under way that decides a request, with what its limits in shadow mode would say. */
export class Pending extends Question {
  /** Of the same request, settled before. */
  previous: Pending | undefined
  /** Each asked by itself, so that none speaks for another. */
  readonly shadows: readonly Question[]

  constructor (asks: readonly RouteAsk[], limiter: Limiter) {
    const shadows = asks.filter(({ limit }) => limit.shadow)
    super(shadows.length === 0 ? asks : asks.filter(({ limit }) => !limit.shadow), limiter)
    this.shadows = shadows.length === 0 ? none : shadows.map(ask => new Question([ask], limiter))
  }
}

const none: readonly Question[] = []
const nothingAsked: Ruling = Object.freeze({ decision: 'allowed', answers: [] })
