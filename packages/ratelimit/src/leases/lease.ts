import { isSameRule, type Rule } from '../rule.ts'
import type { Charge, Check, Outcome } from '../stores/store.ts'
import type { Back } from './batch.ts'
import { Demand } from './demand.ts'
import type { LeaseRule } from './lease-options.ts'
import { type Moment, passedMs } from './moment.ts'

/** Permits that the store has charged, and what it said of them. */
interface Grant {
  left: number
  /** Before the question was written: the lifetime counts from here. */
  readonly sent: Moment
  readonly receivedMs: number
  readonly lifetimeMs: number
  readonly outcome: Outcome
  /** What a return of them says of when they were charged; with a strict lease its lifetime before. */
  readonly atMs: number
}

/** Called when the question of another caller has been answered; an error: it was not. */
export type Waiter = (error: Error | null) => void

/** What a process holds of a limit and subject. */
export class Lease {
  readonly demand: Demand
  readonly #terms: LeaseRule
  readonly #subject: string
  /** Under which all that is held was charged. */
  #rule: Rule
  #grant: Grant | undefined
  /** To be given back by the next question. */
  #back: Back | undefined
  #waiting: Waiter[] | undefined
  /** Whether what the question under way is granted may be held: nothing has ended the lease since. */
  #mayHold = false
  #closed = false
  /** The largest cost that was asked for. */
  #largest = 1

  constructor (terms: LeaseRule, { rule, subject }: Pick<Check, 'rule' | 'subject'>, nowMs: number) {
    this.#terms = terms
    this.#rule = rule
    this.#subject = subject
    this.demand = new Demand(terms.lifetimeMs, nowMs)
  }

  /** Whether a question for a batch is under way. */
  get isAsked (): boolean { return this.#waiting !== undefined }

  /** Whether no batch is asked for any more. */
  get isClosed (): boolean { return this.#closed }

  /**
   * Whether a cost can be spent now.
   * @param asked - units that must be free, the cost among them: held here, or with the store as far as it is known
   */
  has (cost: number, now: Moment, asked = cost): boolean {
    return this.#isLive(now) && this.#grant!.left >= cost && this.#grant!.outcome.remaining + this.#grant!.left >= asked
  }

  /** Units to be spent now. */
  left (now: Moment): number {
    return this.#isLive(now) ? this.#grant!.left : 0
  }

  /** Spends a cost that is there. @returns what the caller is told */
  spend (cost: number, now: Moment): Outcome {
    const grant = this.#grant!
    grant.left -= cost
    const { outcome } = grant
    const resetMs = Math.ceil(Math.max(0, outcome.resetMs - (now.monotonicMs - grant.receivedMs)))
    return { remaining: outcome.remaining + grant.left, waitMs: 0, resetMs, atMs: grant.atMs, by: 'store' }
  }

  /** Takes a charge back if it was spent of what is held, and this may still be spent. */
  putBack ({ rule, cost, atMs }: Charge, now: Moment): boolean {
    if (!this.#isLive(now) || this.#grant!.atMs !== atMs || !isSameRule(this.#rule, rule)) return false
    this.#grant!.left += cost
    return true
  }

  /** A question for a batch begins. @returns what it gives back, at most once */
  ask (cost: number): Back | undefined {
    this.#waiting = []
    this.#mayHold = true
    this.#largest = Math.max(this.#largest, cost)
    return this.takeBack()
  }

  wait (waiter: Waiter): void {
    this.#waiting!.push(waiter)
  }

  /** The question is over. @returns who has waited for it */
  answered (): Waiter[] {
    const waiting = this.#waiting!
    this.#waiting = undefined
    return waiting
  }

  /** The question was not asked after all: what it gave back is still to be given back. */
  keepBack (back: Back | undefined): void {
    this.#back ??= back
  }

  /**
   * Holds what was granted, the cost of the question among it.
   * @returns what the caller is told, who has spent of it; undefined when its lifetime is over already
   */
  hold ({ rule, cost }: Check, outcome: Outcome, { sent, now }: { sent: Moment, now: Moment }): Outcome | undefined {
    const { lifetimeMs, strict } = this.#terms
    const chargedMs = rule.algorithm === 'fixed-window' ? Math.min(lifetimeMs, outcome.resetMs) : lifetimeMs
    const grant = {
      left: outcome.granted!, sent, receivedMs: now.monotonicMs, lifetimeMs: chargedMs - driftMs(lifetimeMs), outcome, atMs: strict ? outcome.atMs - lifetimeMs : outcome.atMs
    }
    if (passedMs(sent, now) >= grant.lifetimeMs) return undefined
    // Who has waited asks under the rule with which it came.
    if (!this.#mayHold || !isSameRule(this.#rule, rule)) return outcome
    this.#grant = grant
    return this.spend(cost, now)
  }

  /** Whether somebody may have been refused for what a question has given back. @param before - units free before it */
  mayHaveRefused (before: number): boolean {
    return before < this.#largest
  }

  /** What was charged under another rule is not held under this. */
  keepOnly (rule: Rule): void {
    if (isSameRule(this.#rule, rule)) return
    // A window counts units, whatever its limit; gcra counts time, of which a unit is more under a lower one.
    const back = rule.algorithm === 'fixed-window' ? this.takeBack() : undefined
    this.end()
    this.#back = back
    this.#rule = rule
  }

  /** What was counted no longer holds: nothing is spent, and nothing given back. */
  end (): void {
    this.#grant = this.#back = undefined
    this.#mayHold = false
  }

  /** Ends it. @returns what is left */
  takeBack (): Back | undefined {
    const grant = this.#grant
    const back = grant !== undefined && grant.left > 0 ? { units: grant.left, atMs: grant.atMs } : this.#back
    this.#grant = this.#back = undefined
    return back
  }

  /** Ends it; what a question under way is granted is left by a second close, once it was answered. @returns what is left, as a charge to be taken back */
  close (): Charge[] {
    this.#closed = true
    return this.takeBackAsCharge()
  }

  /** Ends it. @returns what is left, as a charge to be taken back */
  takeBackAsCharge (): Charge[] {
    const back = this.takeBack()
    return back === undefined ? [] : [{ rule: this.#rule, subject: this.#subject, cost: back.units, atMs: back.atMs }]
  }

  /** Whether nobody has asked for a whole lifetime after the end of what is left here: no question is going to give it back. */
  isForgotten (now: Moment): boolean {
    return this.#grant !== undefined && this.#grant.left > 0 && passedMs(this.#grant.sent, now) >= 2 * this.#terms.lifetimeMs
  }

  #isLive (now: Moment): boolean {
    return this.#grant !== undefined && passedMs(this.#grant.sent, now) < this.#grant.lifetimeMs
  }
}

/** By how much the clock of this machine may be slower than the server's. */
const driftMs = (lifetimeMs: number) => lifetimeMs / 1_000 + 1
