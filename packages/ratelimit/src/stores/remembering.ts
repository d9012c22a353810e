import type { Clock } from '@respite/redis'
import type { Freed } from '../refusals/freed-topic.ts'
import { Refusals } from '../refusals/refusals.ts'
import type { Rule } from '../rule.ts'
import type { Charge, Check, LimitStore, VerdictCallback } from './store.ts'

/** What is around it. */
export interface RememberingParts {
  readonly clock: Clock
  /** Whether the store can be asked: while it is away its refusals do not hold, each limit says itself what happens then. */
  readonly reachable: () => boolean
  /** Tells the other processes who was freed. */
  readonly tell: (freed: readonly Freed[]) => void
}

/** Asks a store, and not again for what it has refused. */
export class RememberingStore implements LimitStore {
  readonly #store: LimitStore
  readonly #parts: RememberingParts
  readonly #refusals = new Refusals()

  constructor (store: LimitStore, parts: RememberingParts) {
    this.#store = store
    this.#parts = parts
  }

  take (checks: readonly Check[], callback: VerdictCallback): void {
    // Before the call is written: the server's wait begins later than this.
    const sentMs = this.#parts.clock.monotonicMs()
    // A refusal that may ban is to be counted where all of them are.
    const bans = checks.some(({ ban }) => ban !== undefined)
    const known = !bans && this.#parts.reachable() ? this.#refusals.recall(checks, sentMs) : undefined
    if (known !== undefined) {
      callback(null, known)
      return
    }
    this.#store.take(checks, (error, verdict) => {
      if (verdict?.allowed === false && !bans) this.#refusals.remember(checks, verdict, { sentMs, receivedMs: this.#parts.clock.monotonicMs() })
      callback(error, verdict)
    })
  }

  /** Always of the store. Whoever it has room for is asked for again, though nobody has told of it yet. */
  peek (checks: readonly Check[], callback: VerdictCallback): void {
    this.#store.peek(checks, (error, verdict) => {
      verdict?.outcomes.forEach(({ waitMs }, i) => { if (waitMs === 0) this.forget([checks[i]!.rule.name, checks[i]!.subject]) })
      callback(error, verdict)
    })
  }

  async refund (charges: readonly Charge[]): Promise<void> {
    try {
      await this.#store.refund(charges)
    } finally {
      // Also when the answer was lost: it may have been done.
      this.freed(charges)
    }
  }

  renew (held: readonly Check[]): Promise<void> {
    return this.#store.renew(held)
  }

  async reset (rule: Rule, subject: string): Promise<void> {
    try {
      await this.#store.reset(rule, subject)
    } finally {
      this.freed([{ rule, subject }], { anew: true })
    }
  }

  async block (rule: Rule, subject: string, ms: number): Promise<void> {
    try {
      await this.#store.block(rule, subject, ms)
    } finally {
      // What was told before has another end now.
      this.freed([{ rule, subject }], { anew: true })
    }
  }

  /**
   * The store has given something back: from now on it is asked again, here and in every process.
   * @param anew - what was counted before no longer holds
   */
  freed (charges: readonly Pick<Check, 'rule' | 'subject'>[], { anew = false } = {}): void {
    // What is in flight is never remembered, and its slots are given back with each answer.
    const all = charges.filter(({ rule }) => rule.algorithm !== 'concurrency').map(({ rule, subject }): Freed => anew ? [rule.name, subject, true] : [rule.name, subject])
    for (const one of all) this.forget(one)
    this.#parts.tell(all)
  }

  /** The store may have lost what it knew. */
  clear (): void {
    this.#refusals.clear()
  }

  /** Another process says so. */
  forget ([limit, subject]: Freed): void {
    this.#refusals.free(limit, subject, this.#parts.clock.monotonicMs())
  }
}
