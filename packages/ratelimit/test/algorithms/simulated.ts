import type { Rule } from '../../src/rule.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Outcome } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { Admissions, msOf } from './admissions.ts'

/** What became of one call. */
export interface Answer extends Outcome { readonly allowed: boolean }

const subject = 'somebody'

/** One limit and one subject in simulated time, which passes in microseconds. What is admitted is remembered. */
export class Simulated {
  readonly rule: Rule
  readonly admissions = new Admissions()
  readonly #clock = fakeClock()
  readonly #store = new MemoryStore({ clock: this.#clock, maxKeys: 10 })
  #us = this.#clock.nowMs * 1_000

  constructor (rule: Rule) {
    this.rule = rule
  }

  /** As the store reads it. */
  get nowUs (): number { return Math.floor(this.#clock.nowMs * 1_000) }

  /** Also backwards. */
  pass (us: number): void {
    // Summed up in whole numbers: a hundred thousand fractions of a millisecond would drift.
    this.#us += us
    this.#clock.nowMs = this.#us / 1_000
  }

  take (cost = 1): Answer {
    const answer = this.#ask('take', cost)
    if (answer.allowed) this.admissions.add({ atUs: this.nowUs, cost })
    return answer
  }

  peek (cost = 1): Answer {
    return this.#ask('peek', cost)
  }

  /** Takes one of the admissions back. */
  async refund (index: number): Promise<void> {
    const { atUs, cost } = this.admissions.remove(index)
    await this.#store.refund([{ rule: this.rule, subject, cost, atMs: msOf(atUs) }])
  }

  #ask (mode: 'take' | 'peek', cost: number): Answer {
    let answer!: Answer
    this.#store[mode]([{ rule: this.rule, subject, cost }], (_, verdict) => {
      answer = { allowed: verdict!.allowed, ...verdict!.outcomes[0]! }
    })
    return answer
  }
}
