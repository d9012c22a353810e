import { LRUCache } from 'lru-cache'
import { wanted } from '../leases/demand.ts'
import { Lease } from '../leases/lease.ts'
import { type Leased, LeasedQuestion, type LeasingParts } from '../leases/leased-question.ts'
import { type Moment, momentOf } from '../leases/moment.ts'
import type { Freed } from '../refusals/freed-topic.ts'
import type { Rule } from '../rule.ts'
import { countName } from '../subject.ts'
import { askedOf, type Charge, type Check, type LimitStore, type Verdict, type VerdictCallback } from './store.ts'

/** Each of a limit and subject. */
const mostLeases = 10_000
/** Charges that one call takes back at most: Redis serves nobody else meanwhile. */
const mostAtOnce = 64

/**
 * Takes permits of leased limits from a store in batches, and answers from them without asking it. Who is dropped from here is
 * asked for one by one, until it is asked for often again.
 */
export class LeasingStore implements LimitStore {
  readonly #parts: LeasingParts
  readonly #leases: LRUCache<string, Lease>
  #closed = false

  constructor (parts: LeasingParts) {
    this.#parts = parts
    this.#leases = new LRUCache({
      max: mostLeases,
      dispose: (lease, _, reason) => {
        if (reason === 'evict') this.#close([lease]).catch(() => undefined)
      }
    })
  }

  take (checks: readonly Check[], callback: VerdictCallback): void {
    if (this.#closed || checks.every(({ lease }) => lease === undefined)) {
      this.#parts.store.take(checks, callback)
      return
    }
    const now = this.#now()
    new LeasedQuestion(checks.map(check => this.#leasedOf(check, now)), callback, this.#parts).begin(now)
  }

  /** Of the store, with what this process holds. */
  peek (checks: readonly Check[], callback: VerdictCallback): void {
    this.#parts.store.peek(checks, (error, verdict) => callback(error, verdict && this.#withHeld(checks, verdict)))
  }

  async refund (charges: readonly Charge[]): Promise<void> {
    const now = this.#now()
    const rest = charges.filter(charge => this.#find(charge.rule.name, charge.subject)?.putBack(charge, now) !== true)
    if (rest.length > 0) await this.#parts.store.refund(rest)
  }

  renew (held: readonly Check[]): Promise<void> {
    return this.#parts.store.renew(held)
  }

  async reset (rule: Rule, subject: string): Promise<void> {
    try {
      await this.#parts.store.reset(rule, subject)
    } finally {
      this.forget([rule.name, subject, true])
    }
  }

  async block (rule: Rule, subject: string, ms: number): Promise<void> {
    try {
      await this.#parts.store.block(rule, subject, ms)
    } finally {
      this.forget([rule.name, subject, true])
    }
  }

  /** What was counted of a subject no longer holds, here or as another process says. Permits are paid for: what is given back to others ends none. */
  forget ([limit, subject, anew]: Freed): void {
    if (anew === true) this.#find(limit, subject)?.end()
  }

  /** The store may have lost what it knew. */
  clear (): void {
    for (const lease of this.#leases.values()) lease.end()
  }

  /** Leases nothing any more, and gives everything back, as far as the store can be reached: also what questions under way are granted, each of which has a deadline. */
  async close (): Promise<void> {
    this.#closed = true
    const leases = [...this.#leases.values()]
    this.#leases.clear()
    await this.#close(leases)
  }

  /** Gives back what is left of keys that nobody asks for any more: to be called now and then. */
  async sweep (): Promise<void> {
    const now = this.#now()
    await this.#giveBack([...this.#leases.values()].filter(lease => lease.isForgotten(now)).flatMap(lease => lease.takeBackAsCharge()))
  }

  // Whoever waits for a question comes before this, and may spend of what it is granted.
  async #close (leases: readonly Lease[]): Promise<void> {
    const answers = leases.filter(({ isAsked }) => isAsked).map(lease => new Promise<void>(resolve => { lease.wait(() => resolve()) }))
    const left = () => leases.flatMap(lease => lease.close())
    await this.#giveBack(left())
    await Promise.all(answers)
    if (answers.length > 0) await this.#giveBack(left())
  }

  async #giveBack (charges: readonly Charge[]): Promise<void> {
    const calls: Promise<void>[] = []
    for (let i = 0; i < charges.length; i += mostAtOnce) calls.push(this.#return(charges.slice(i, i + mostAtOnce)))
    await Promise.allSettled(calls)
  }

  async #return (charges: readonly Charge[]): Promise<void> {
    const { store, meters } = this.#parts
    await store.refund(charges)
    for (const { rule, cost } of charges) meters.count(rule.name, 'returned', cost)
  }

  #leasedOf (check: Check, now: Moment): Leased {
    if (check.lease === undefined) return { check, lease: undefined, want: 0 }
    const name = countName(check.rule.name, check.subject)
    let lease = this.#leases.get(name)
    if (lease === undefined) {
      lease = new Lease(check.lease, check, now.monotonicMs)
      this.#leases.set(name, lease)
    }
    lease.keepOnly(check.rule)
    return { check, lease, want: wanted(lease.demand.note(check.cost, now.monotonicMs)) }
  }

  #withHeld (checks: readonly Check[], { outcomes }: Verdict): Verdict {
    const now = this.#now()
    const all = outcomes.map((outcome, i) => {
      const check = checks[i]!
      const left = this.#find(check.rule.name, check.subject)?.left(now) ?? 0
      const remaining = outcome.remaining + left
      return left === 0 ? outcome : { ...outcome, remaining, waitMs: remaining >= askedOf(check) ? 0 : outcome.waitMs }
    })
    return { allowed: all.every(({ waitMs }) => waitMs === 0), outcomes: all }
  }

  #find (limit: string, subject: string): Lease | undefined {
    return this.#leases.peek(countName(limit, subject))
  }

  #now (): Moment {
    return momentOf(this.#parts.clock)
  }
}
