import type { Clock, CounterSeries, Metric } from '@respite/redis'
import type { LimitChanges } from '../limit-changes.ts'
import { type Answered, type Ask, chargesOf, gone, type Limiter, type Ruling } from '../limiter.ts'
import { type After, Line, type Waiter, waitOf } from './line.ts'

/** What the delays work with. */
export interface DelaysParts {
  readonly limiter: Pick<Limiter, 'take' | 'refund'>
  readonly changes: LimitChanges
  readonly clock: Clock
  readonly after: After
  /** By limit: requests that had to wait. */
  readonly delayed: Metric<CounterSeries>
}

const nobody = () => {}

/** Asks the limits, and lets those wait whom limits with `delay` refuse: in lines, one a limit and subject, within the bounds of the limit. */
export class Delays {
  readonly #parts: DelaysParts
  readonly #lines = new Map<string, Line>()
  /** By limit. */
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
    const delayed = this.#closed ? undefined : asks.find(ask => ask.limit.delay !== undefined && this.#lines.has(keyOf(ask))) ?? asks.find(({ limit }) => limit.delay !== undefined)
    if (delayed === undefined) {
      limiter.take(asks, callback)
      return nobody
    }
    let leave: (() => void) | undefined = this.#lines.has(keyOf(delayed)) ? this.#join(delayed, asks, { callback, waitMs: 0 }) : undefined
    let left = false
    if (leave === undefined) {
      // Whoever does not wait takes nothing that those who do are due.
      this.#lines.get(keyOf(delayed))?.askIfDue()
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
    for (const line of [...this.#lines.values()]) for (const waiter of line.all()) if (!line.isAsking(waiter)) this.#decideNow(line, waiter)
  }

  /** @returns a way to leave; undefined where there is no place, or room is not to be expected in time */
  #join (ask: Ask, asks: readonly Ask[], { callback, waitMs }: { callback: (answered: Answered) => void, waitMs: number }): (() => void) | undefined {
    const { clock, after } = this.#parts
    const { name } = ask.rule
    const key = keyOf(ask)
    const maxMs = Math.min(...asks.flatMap(({ limit: { delay } }) => delay?.max ?? []))
    const deadlineMs = clock.monotonicMs() + maxMs
    const known = this.#lines.get(key)
    if ((this.#waiting.get(name) ?? 0) >= ask.limit.delay!.waiting || waitMs > maxMs || (known !== undefined && known.expectedMs(ask) > deadlineMs)) return undefined
    const line = known ?? this.#open(key)
    this.#count(name, 1)
    this.#parts.delayed.of(name).inc()
    const told = (answered: Answered) => {
      this.#count(name, -1)
      callback(answered)
    }
    const waiter: Waiter = { asks, deadlineMs, cost: ask.cost, rule: told, cancelDeadline: nobody }
    waiter.cancelDeadline = after(maxMs, () => { if (!line.isAsking(waiter)) this.#decideNow(line, waiter) })
    line.join(waiter, waitMs)
    return () => { if (line.drop(waiter)) told(gone) }
  }

  #open (key: string): Line {
    const { clock, after } = this.#parts
    const line = new Line({
      ask: (asks, callback) => this.#ask(asks, callback),
      giveBack: (asks, ruling) => this.#giveBack(asks, ruling),
      nowMs: () => clock.monotonicMs(),
      after,
      mayWait: () => !this.#closed,
      onEmpty: () => this.#lines.delete(key)
    })
    this.#lines.set(key, line)
    return line
  }

  #decideNow (line: Line, waiter: Waiter): void {
    if (line.drop(waiter)) this.#ask(waiter.asks, waiter.rule)
  }

  // Under the limit as it is now, for all who waited while it was changed. A tier is what it was when its request came.
  #ask (asks: readonly Ask[], callback: (ruling: Ruling) => void): void {
    for (const ask of asks) if (ask.limit.limitFor === undefined) ask.rule = this.#parts.changes.of(ask.limit.rule)
    this.#parts.limiter.take(asks, callback)
  }

  // Who is gone while its question was under way has charged nothing.
  #giveBack (asks: readonly Ask[], ruling: Ruling): void {
    // What is not given back is left to its window.
    this.#parts.limiter.refund(chargesOf(asks, ruling)).catch(nobody)
  }

  #count (limit: string, by: 1 | -1): void {
    this.#waiting.set(limit, (this.#waiting.get(limit) ?? 0) + by)
  }
}

const keyOf = ({ rule, subject }: Ask) => `${subject.length} ${subject}${rule.name}`

function longest (asks: readonly Ask[], { answers }: Ruling): Ask {
  return asks.reduce((a, b, i) => answers[i]!.waitMs > answers[asks.indexOf(a)]!.waitMs ? b : a)
}
