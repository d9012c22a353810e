import type { CounterSeries } from '@respite/redis'
import type { HeldSlot, HeldSlots } from './held-slots.ts'
import type { Limit } from './limit.ts'
import type { Load } from './load.ts'
import type { Rule } from './rule.ts'
import type { MemoryStore } from './stores/memory.ts'
import { type AnsweredBy, askedOf, type Charge, type Check, isShed, type LimitStore, type Outcome, type Verdict } from './stores/store.ts'

/** A limit to be checked for somebody. */
export interface Ask extends Check {
  readonly limit: Limit
  /** As it was when it was asked for last: who waits for room may be asked for under another. */
  rule: Rule
}

/** What became of all of them. */
export interface Ruling {
  /** `unavailable`: the store is away, and one of the limits is closed then. */
  readonly decision: 'allowed' | 'refused' | 'unavailable'
  readonly answers: readonly Outcome[]
}

/** Nobody waits for the answer any more, and nothing was charged. */
export interface Gone { readonly decision: 'gone', readonly answers: readonly Outcome[] }

/** What became of a question that may have waited. */
export type Answered = Ruling | Gone

export const gone: Gone = Object.freeze({ decision: 'gone', answers: [] })

/** What was charged, and where. */
export interface LimitCharge extends Charge { readonly by: AnsweredBy }

/** What the limiter works with. */
export interface LimiterParts {
  readonly store: LimitStore
  /** Takes over while the store is away. */
  readonly local: MemoryStore
  /** Of concurrency limits, in use by requests and calls of this process. */
  readonly slots: HeldSlots
  readonly load: Load
  /** Processes of the app that share the limits. */
  readonly instances: () => number
  readonly storeErrors: CounterSeries
}

/** Decides by the store, and while it is away as each limit says. */
export class Limiter {
  readonly #parts: LimiterParts
  readonly #shares = new Map<string, Rule>()
  #mayBeBack = false

  constructor (parts: LimiterParts) {
    this.#parts = parts
  }

  /** Charges all or none. `callback` may be called before this returns. */
  take (asks: readonly Ask[], callback: (ruling: Ruling) => void): void {
    this.#askForHeadroom(asks)
    const slotted = this.#numbered(asks)
    this.#parts.store.take(asks, (error, verdict) => {
      if (error === null && this.#mayBeBack) this.#forgetLocal()
      const ruling = error === null ? rulingOf(asks, verdict!) : this.#without(asks, 'take')
      if (slotted !== undefined) this.#hold(slotted, ruling, { lost: error !== null })
      callback(ruling)
    })
  }

  /** What this process remembers itself, and how often it had to. */
  sizes (): { memoryKeys: number, storeErrors: number } {
    return { memoryKeys: this.#parts.local.size, storeErrors: this.#parts.storeErrors.value }
  }

  get slots (): HeldSlots { return this.#parts.slots }

  /**
   * The store can be reached again. What was counted here is forgotten when it has decided the first take: one that is slow,
   * or refuses to write, can be reached time and again while nobody but this process counts.
   */
  storeMayBeBack (): void {
    this.#mayBeBack = true
  }

  /** Says what `take` would, and charges nothing. */
  peek (asks: readonly Ask[], callback: (ruling: Ruling) => void): void {
    this.#askForHeadroom(asks)
    this.#parts.store.peek(asks, (error, verdict) => callback(error === null ? rulingOf(asks, verdict!) : this.#without(asks, 'peek')))
  }

  /** Takes charges back where they were made. @throws a LinkError when the store is away */
  async refund (charges: readonly LimitCharge[]): Promise<void> {
    const local = charges.filter(({ by, slot }) => by === 'local' && slot === undefined)
    const stored = charges.filter(({ by, slot }) => by === 'store' && slot === undefined)
    await Promise.all(charges.map(({ slot }) => slot === undefined ? undefined : this.#parts.slots.release(slot)))
    await this.#parts.local.refund(local.map(charge => ({ ...charge, rule: this.#share(charge) })))
    if (stored.length > 0) await this.#parts.store.refund(stored)
  }

  /** Forgets what a limit knows of a subject. @throws a LinkError when the store is away */
  async reset (rule: Rule, subject: string): Promise<void> {
    await this.#parts.local.reset(rule, subject)
    await this.#parts.store.reset(rule, subject)
  }

  /** Refuses a subject from now on; 0 ms: no longer. @throws a LinkError when the store is away */
  async block (rule: Rule, subject: string, ms: number): Promise<void> {
    await this.#parts.store.block(rule, subject, ms)
    await this.#parts.local.block(rule, subject, ms)
  }

  // What was counted here alone is in nobody else's count, and the store has its own.
  #forgetLocal (): void {
    this.#mayBeBack = false
    this.#parts.local.clear()
    this.#parts.slots.renew()
  }

  // With each question, and not in the rule: processes share what is counted, and differ in how busy they are.
  #askForHeadroom (asks: readonly Ask[]): void {
    for (const ask of asks) ask.headroomTenths = this.#parts.load.headroomTenths(ask.limit)
  }

  /** The asks of concurrency limits, each with a slot of its own. */
  #numbered (asks: readonly Ask[]): HeldSlot[] | undefined {
    let slotted: HeldSlot[] | undefined
    for (const ask of asks) {
      if (ask.rule.algorithm !== 'concurrency') continue
      ask.slot = this.#parts.slots.number()
      ;(slotted ??= []).push(ask as HeldSlot)
    }
    return slotted
  }

  // Whoever passes is in flight, whoever has decided it. Of a lost answer nobody knows what was charged.
  #hold (slotted: readonly HeldSlot[], { decision }: Ruling, { lost }: { lost: boolean }): void {
    if (decision === 'allowed') for (const ask of slotted) this.#parts.slots.hold(ask)
    else if (lost) this.#parts.slots.forget(slotted).catch(() => undefined)
  }

  #without (asks: readonly Ask[], mode: 'take' | 'peek'): Ruling {
    this.#parts.storeErrors.inc()
    if (asks.some(({ limit }) => limit.onStoreError === 'closed')) return { decision: 'unavailable', answers: asks.map(unchecked) }
    const local = asks.filter(({ limit }) => limit.onStoreError === 'local')
    let verdict: Verdict = { allowed: true, outcomes: [] }
    let checks: Check[] = []
    if (local.length > 0) {
      checks = local.map(({ rule, ...check }) => ({ ...check, rule: this.#share({ rule, cost: check.cost }) }))
      this.#parts.local[mode](checks, (_, own) => { verdict = own! })
    }
    for (const outcome of verdict.outcomes) outcome.by = 'local'
    const { decision, answers } = rulingOf(checks, verdict)
    return { decision, answers: asks.map(ask => answers[local.indexOf(ask)] ?? unchecked(ask)) }
  }

  /** This process' part of a limit: all of them together admit no more than it, or one request each. */
  #share ({ rule, cost }: Pick<Check, 'rule' | 'cost'>): Rule {
    const n = Math.max(1, this.#parts.instances())
    const part = (units: number) => Math.min(units, Math.max(cost, Math.floor(units / n)))
    const [limit, capacity] = [part(rule.limit), part(rule.capacity)]
    const known = this.#shares.get(rule.name)
    if (known?.limit === limit && known.capacity === capacity && known.windowMs === rule.windowMs && known.algorithm === rule.algorithm) return known
    const share = { ...rule, limit, capacity }
    this.#shares.set(rule.name, share)
    return share
  }
}

const rulingOf = (checks: readonly Check[], { allowed, outcomes }: Verdict): Ruling => ({
  decision: allowed ? 'allowed' : 'refused',
  answers: checks.some(({ headroomTenths = 0 }) => headroomTenths > 0) ? outcomes.map((outcome, i) => aboveHeadroom(checks[i]!, outcome)) : outcomes
})

// What must stay free is not there for the client.
function aboveHeadroom (check: Check, outcome: Outcome): Outcome {
  const remaining = Math.max(0, outcome.remaining - (askedOf(check) - check.cost))
  return { ...outcome, remaining, ...(isShed(check, outcome) && { shed: true }) }
}

const unchecked = ({ rule }: Ask): Outcome => ({ remaining: rule.capacity, waitMs: 0, resetMs: 0, atMs: 0, by: 'none' })

/** What a ruling has charged. */
export function chargesOf (asks: readonly Ask[], { decision, answers }: Answered): LimitCharge[] {
  if (decision !== 'allowed') return []
  return asks.flatMap(({ rule, subject, cost, slot }, i) => {
    const { by, atMs } = answers[i]!
    return by === 'none' && slot === undefined ? [] : [{ rule, subject, cost, atMs, by, slot }]
  })
}
