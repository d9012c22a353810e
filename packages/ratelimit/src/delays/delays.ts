import type { Clock, CounterSeries, Metric } from '@respite/redis'
import type { LimitChanges } from '../limit-changes.ts'
import { type Answered, type Ask, chargesOf, gone, type Limiter, type Ruling } from '../limiter.ts'
import { countName } from '../subject.ts'
import { type After, Queue, type Waiter, waitOf } from './queue.ts'

/** What the delays work with. */
export interface DelaysParts {
  readonly limiter: Pick<Limiter, 'take' | 'refund'>
  readonly changes: LimitChanges
  readonly clock: Clock
  readonly after: After
  /** By limit: requests that had to wait. */
  readonly delayed: Metric<CounterSeries>
}

const noop = () => {}

/** Asks the limits, and lets those wait whom limits with `delay` refuse: in queues, one a limit and subject, within the bounds of the limit. */
export class Delays {
  readonly #parts: DelaysParts
  readonly #queues = new Map<string, Queue>()
  /** Requests that wait now, by limit. */
  readonly #waiting = new Map<string, number>()
  #closed = false

  constructor (parts: DelaysParts) {
    this.#parts = parts
  }

  /** Requests that wait now. */
  get size (): number {
    let size = 0
    for (const waiting of this.#waiting.values()) size += waiting
    return size
  }

  /**
   * As the limiter's; the answer may come later.
   * @returns a way to give up: whoever waits is told at once that it is gone, a question under way is answered
   */
  take (asks: readonly Ask[], callback: (answered: Answered) => void): () => void {
    const { limiter } = this.#parts
    const delayed = this.#closed ? undefined : this.#delayedOf(asks)
    if (delayed === undefined) {
      limiter.take(asks, callback)
      return noop
    }
    let leave: (() => void) | undefined = this.#queues.has(nameOf(delayed)) ? this.#join(delayed, asks, { callback, waitMs: 0 }) : undefined
    let left = false
    if (leave === undefined) {
      // Whoever does not wait takes nothing that those who do are due.
      this.#queues.get(nameOf(delayed))?.askIfDue()
      limiter.take(asks, ruling => {
        const waitMs = ruling.decision === 'refused' && !this.#closed ? waitOf(asks, ruling) : undefined
        if (left && ruling.decision === 'refused') callback(gone)
        else if (waitMs === undefined) callback(ruling)
        else {
          leave = this.#join(longest(asks, ruling), asks, { callback, waitMs })
          if (leave === undefined) callback(ruling)
        }
      })
    }
    return () => {
      left = true
      leave?.()
    }
  }

  /** Nobody waits any longer: all are asked for once more, and have the answer. */
  close (): void {
    this.#closed = true
    for (const queue of [...this.#queues.values()]) {
      for (const waiter of queue.waiters()) this.#decideNow(queue, waiter)
    }
  }

  /** The one in whose queue they would wait: where others do already, else the first that delays. */
  #delayedOf (asks: readonly Ask[]): Ask | undefined {
    return asks.find(ask => ask.limit.delay !== undefined && this.#queues.has(nameOf(ask))) ?? asks.find(({ limit }) => limit.delay !== undefined)
  }

  /** @returns a way to leave; undefined where there is no place, or room is not to be expected in time */
  #join (ask: Ask, asks: readonly Ask[], { callback, waitMs }: { callback: (answered: Answered) => void, waitMs: number }): (() => void) | undefined {
    const { clock, after } = this.#parts
    const name = nameOf(ask)
    const maxMs = Math.min(...asks.flatMap(({ limit: { delay } }) => delay?.max ?? []))
    const deadlineMs = clock.monotonicMs() + maxMs
    const known = this.#queues.get(name)
    if ((this.#waiting.get(ask.rule.name) ?? 0) >= ask.limit.delay!.waiting || waitMs > maxMs || (known !== undefined && known.expectedMs(ask) > deadlineMs)) return undefined
    const queue = known ?? this.#open(name)
    this.#count(ask.rule.name, 1)
    this.#parts.delayed.of(ask.rule.name).inc()
    const settle = (answered: Answered) => {
      this.#count(ask.rule.name, -1)
      callback(answered)
    }
    const waiter: Waiter = { asks, deadlineMs, cost: ask.cost, settle, cancelDeadline: noop }
    waiter.cancelDeadline = after(maxMs, () => this.#decideNow(queue, waiter))
    queue.join(waiter, waitMs)
    return () => { if (queue.drop(waiter)) settle(gone) }
  }

  #open (name: string): Queue {
    const { clock, after } = this.#parts
    const queue = new Queue({
      ask: (asks, callback) => this.#ask(asks, callback),
      giveBack: (asks, ruling) => this.#giveBack(asks, ruling),
      nowMs: () => clock.monotonicMs(),
      after,
      mayWait: () => !this.#closed,
      onEmpty: () => this.#queues.delete(name)
    })
    this.#queues.set(name, queue)
    return queue
  }

  // Whose question is under way has its answer soon.
  #decideNow (queue: Queue, waiter: Waiter): void {
    if (!queue.isAsking(waiter) && queue.drop(waiter)) this.#ask(waiter.asks, waiter.settle)
  }

  // Under the limit as it is now, for all who waited while it was changed. A tier is what it was when its request came.
  #ask (asks: readonly Ask[], callback: (ruling: Ruling) => void): void {
    for (const ask of asks) if (ask.limit.limitFor === undefined) ask.rule = this.#parts.changes.of(ask.limit.rule)
    this.#parts.limiter.take(asks, callback)
  }

  // Who is gone while its question was under way has charged nothing.
  #giveBack (asks: readonly Ask[], ruling: Ruling): void {
    // What is not given back is left to its window.
    this.#parts.limiter.refund(chargesOf(asks, ruling)).catch(noop)
  }

  #count (limit: string, by: 1 | -1): void {
    this.#waiting.set(limit, (this.#waiting.get(limit) ?? 0) + by)
  }
}

const nameOf = ({ rule, subject }: Ask) => countName(rule.name, subject)

function longest (asks: readonly Ask[], { answers }: Ruling): Ask {
  return asks.reduce((a, b, i) => answers[i]!.waitMs > answers[asks.indexOf(a)]!.waitMs ? b : a)
}
