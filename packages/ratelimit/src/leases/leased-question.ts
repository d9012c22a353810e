import type { Clock } from '@respite/redis'
import type { LeaseMeters } from '../meters.ts'
import type { Back } from './batch.ts'
import { wanted } from './demand.ts'
import type { Lease, Waiter } from './lease.ts'
import { type Moment, momentOf } from './moment.ts'
import { askedOf, type Charge, type Check, type LimitStore, type Outcome, type Verdict, type VerdictCallback } from '../stores/store.ts'

/** A store that can tell all processes that somebody may have room again. */
export interface TellingStore extends LimitStore {
  freed (charges: readonly Pick<Check, 'rule' | 'subject'>[]): void
}

/** What a question works with. */
export interface LeasingParts {
  readonly store: TellingStore
  readonly clock: Clock
  /** Processes that share the limits. */
  readonly instances: () => number
  readonly meters: Pick<LeaseMeters, 'count'>
}

/** A check, and what this process holds of it where it is leased. */
export interface Leased {
  readonly check: Check
  readonly lease: Lease | undefined
  /** Units that a batch is to have. */
  want: number
}

/** One that the store is asked. */
interface Asked extends Leased {
  /** In the question. */
  readonly place: number
  /** Whether a batch is asked for. */
  readonly batch: boolean
  readonly back: Back | undefined
}

/** Limits that are decided together, some of them from permits that this process holds; the store is asked the others, in one question. */
export class LeasedQuestion {
  readonly #parts: LeasingParts
  readonly #limits: readonly Leased[]
  readonly #callback: VerdictCallback
  readonly #outcomes: (Outcome | undefined)[]
  /** Of what this process holds. */
  readonly #spent: Check[] = []

  constructor (limits: readonly Leased[], callback: VerdictCallback, parts: LeasingParts) {
    this.#parts = parts
    this.#limits = limits
    this.#callback = callback
    this.#outcomes = new Array<undefined>(limits.length)
  }

  /** Waits for a batch that is under way, once; who finds nothing left then asks for itself. */
  begin (now: Moment): void {
    const busy = this.#limits.find(({ check, lease }) => lease?.isAsked === true && !lease.has(check.cost, now, askedOf(check)))
    if (busy === undefined) {
      this.#decide(now)
      return
    }
    busy.lease!.wait(error => {
      if (error !== null) this.#callback(error)
      else {
        for (const limit of this.#limits) if (limit.lease !== undefined) limit.want = wanted(limit.lease.demand.known)
        this.#decide(momentOf(this.#parts.clock))
      }
    })
  }

  #decide (now: Moment): void {
    const asked: Asked[] = []
    this.#limits.forEach((limit, place) => {
      const { check, lease } = limit
      if (lease?.has(check.cost, now, askedOf(check)) === true) {
        this.#outcomes[place] = lease.spend(check.cost, now)
        this.#spent.push(check)
      } else {
        const batch = lease !== undefined && !lease.isAsked && !lease.isClosed
        asked.push({ ...limit, place, batch, back: batch ? lease.ask(check.cost) : undefined })
      }
    })
    if (asked.length === 0) {
      this.#tell()
      return
    }
    const nodes = Math.max(1, this.#parts.instances())
    const checks = asked.map(({ check, batch, want, back }) => batch
      ? { ...check, batch: { want, nodes, strictMs: check.lease!.strict ? check.lease!.lifetimeMs : 0, back } }
      : check)
    this.#parts.store.take(checks, (error, verdict) => this.#receive(asked, { sent: now, error, verdict }))
  }

  #receive (asked: readonly Asked[], { sent, error, verdict }: { sent: Moment, error: Error | null, verdict: Verdict | undefined }): void {
    const waiting = asked.flatMap(({ lease, batch }): Waiter[] => batch ? lease!.answered() : [])
    try {
      if (error !== null) this.#fail(error)
      else this.#settle(asked, { sent, verdict: verdict! })
    } finally {
      for (const waiter of waiting) waiter(error)
    }
  }

  #settle (asked: readonly Asked[], { sent, verdict }: { sent: Moment, verdict: Verdict }): void {
    const now = momentOf(this.#parts.clock)
    const late: Asked[] = []
    asked.forEach((one, i) => {
      const outcome = verdict.outcomes[i]!
      const granted = one.batch && outcome.granted !== undefined ? outcome.granted - one.check.cost : 0
      const held = granted > 0 ? one.lease!.hold(one.check, outcome, { sent, now }) : outcome
      if (granted > 0) this.#parts.meters.count(one.check.rule.name, 'granted', granted)
      if (held === undefined) late.push(one)
      this.#outcomes[one.place] = held ?? outcome
      if (one.back !== undefined) this.#returned(one, outcome)
    })
    if (late.length > 0) this.#askAgain(late)
    else {
      if (!verdict.allowed) this.#giveBack(place => !asked.some(one => one.place === place))
      this.#tell()
    }
  }

  // What was granted is past before it is here, as at the end of a window: nothing of it may be spent.
  #askAgain (late: readonly Asked[]): void {
    const isLate = (place: number) => late.some(one => one.place === place)
    this.#parts.store.take(late.map(({ check }) => check), (error, verdict) => {
      if (error !== null || !verdict!.allowed) this.#giveBack(place => !isLate(place))
      verdict?.outcomes.forEach((outcome, i) => { this.#outcomes[late[i]!.place] = outcome })
      if (error === null) this.#tell()
      else this.#callback(error)
    })
  }

  // Others may have been refused for want of it. A refusal that was remembered was not asked for, and gave nothing back.
  #returned ({ check, lease, back }: Asked, { granted, remaining }: Outcome): void {
    if (granted === undefined) {
      lease!.keepBack(back)
      return
    }
    this.#parts.meters.count(check.rule.name, 'returned', back!.units)
    if (lease!.mayHaveRefused(remaining + granted - back!.units)) this.#parts.store.freed([check])
  }

  #fail (error: Error): void {
    this.#giveBack(place => this.#outcomes[place] !== undefined)
    this.#callback(error)
  }

  /** What was spent or charged for nothing. */
  #giveBack (isCharged: (place: number) => boolean): void {
    const now = momentOf(this.#parts.clock)
    const rest: Charge[] = []
    this.#limits.forEach(({ check, lease }, place) => {
      if (!isCharged(place)) return
      const outcome = this.#outcomes[place]!
      const charge = { ...check, atMs: outcome.atMs }
      outcome.remaining += check.cost
      if (lease?.putBack(charge, now) !== true) rest.push(charge)
    })
    // Whoever cannot take back what was charged leaves it to its window.
    if (rest.length > 0) this.#parts.store.refund(rest).catch(() => undefined)
  }

  #tell (): void {
    const outcomes = this.#outcomes as Outcome[]
    const allowed = outcomes.every(({ waitMs }) => waitMs === 0)
    // Of a refused question what was spent is put back.
    if (allowed) for (const { rule: { name }, cost } of this.#spent) this.#parts.meters.count(name, 'spent', cost)
    this.#callback(null, { allowed, outcomes })
  }
}
