import type { Answered, Ask, Limiter } from '../limiter.ts'
import type { Meter } from '../meters.ts'

/** Whom a route's limit counts, as it is known here. */
export interface RouteAsk extends Ask {
  readonly meter: Meter
  /** The key as it was given; for `top` and the app's hooks alone. */
  readonly who: string
}

/** Decides, at once or later; what it returns is a way to give up. */
export interface Asker { take (asks: readonly Ask[], callback: (ruling: Answered) => void): (() => void) | void }

/** Who is asked: shadows wait for nothing. */
export interface Askers { readonly delays: Asker, readonly limiter: Limiter }

/** Limits that are asked together, and their answer. */
export class Question {
  readonly asks: readonly RouteAsk[]
  #ruling: Answered | undefined
  #listener: ((ruling: Answered) => void) | undefined
  #leave: (() => void) | undefined

  constructor (asks: readonly RouteAsk[], asker: Asker) {
    this.asks = asks
    if (asks.length === 0) this.#ruling = nothingAsked
    else {
      const leave = asker.take(asks, ruling => {
        this.#ruling = ruling
        this.#listener?.(ruling)
      })
      if (typeof leave === 'function') this.#leave = leave
    }
  }

  /** Undefined while it is under way. */
  get ruling (): Answered | undefined { return this.#ruling }

  /** Nobody wants to know any more: who waits for room is ruled at once. */
  leave (): void {
    if (this.#ruling === undefined) this.#leave?.()
  }

  /** At once if the answer is there; else in the order of the calls. */
  whenRuled (listener: (ruling: Answered) => void): void {
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

  constructor (asks: readonly RouteAsk[], { delays, limiter }: Askers) {
    const shadows = asks.filter(({ limit }) => limit.shadow)
    super(shadows.length === 0 ? asks : asks.filter(({ limit }) => !limit.shadow), delays)
    this.shadows = shadows.length === 0 ? none : shadows.map(ask => new Question([ask], limiter))
  }
}

const none: readonly Question[] = []
const nothingAsked: Answered = Object.freeze({ decision: 'allowed', answers: [] })
