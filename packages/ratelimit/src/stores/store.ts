import type { BanRule } from '../algorithms/ban.ts'
import type { Batch } from '../leases/batch.ts'
import type { LeaseRule } from '../leases/lease-options.ts'
import type { Rule } from '../rule.ts'

/** One limit of a request. */
export interface Check {
  readonly rule: Rule
  /** Whom it counts; keys of one subject lie in one slot. */
  readonly subject: string
  /** Units asked for, a whole number from 1 on. */
  readonly cost: number
  /** With concurrency: a number of the slot, below 2⁴⁸, that no other has. */
  slot?: number
  /** Refusals by this limit ban; those by headroom alone do not. */
  readonly ban?: BanRule | undefined
  /** Tenths of the rule's capacity that must stay free beside the cost, as far as an untouched limit allows it; they are not charged. */
  headroomTenths?: number
  /** It may be answered from permits that this process holds. */
  readonly lease?: LeaseRule | undefined
  /** Of fixed-window and gcra: units wanted beside the cost. */
  readonly batch?: Batch
}

/** Units that must be free for a check to be admitted: its cost, and the headroom beside it. */
export function askedOf ({ rule: { capacity }, cost, headroomTenths = 0 }: Check): number {
  return headroomTenths === 0 || cost > capacity ? cost : Math.min(capacity, cost + Math.floor(capacity * headroomTenths / 10))
}

/** Whether headroom alone has refused a check. */
export function isShed ({ cost, headroomTenths = 0 }: Check, { remaining, waitMs }: Outcome): boolean {
  return headroomTenths > 0 && waitMs > 0 && cost <= remaining
}

/** What is known of the bans of a subject. */
export interface Banned {
  /** Bans so far, this one included. */
  readonly times: number
  /** Until the ban ends, in ms; 0: there is none. */
  readonly waitMs: number
  /** How long the ban is that this very refusal has begun; 0: it has begun none. */
  readonly begunMs: number
}

/** Who has decided: the store where all processes count, this one alone while that is away, or nobody. */
export type AnsweredBy = 'store' | 'local' | 'none'

/** What became of one check. */
export interface Outcome {
  /** Units free afterwards. */
  remaining: number
  /** 0: it had room. Else ms until it has if nobody else comes; Infinity: never. */
  waitMs: number
  /** Until all is free again, in ms. */
  resetMs: number
  /** When it was decided, ms, by the clock of the store. */
  atMs: number
  by: AnsweredBy
  /** Headroom alone has refused it. */
  readonly shed?: true
  /** Of a check that may ban; while a ban lasts nothing remains, and the wait is at least as long as it. */
  readonly ban?: Banned | undefined
  /** With a batch: units that were charged, the cost among them; 0: it was refused. Absent when the store was not asked. */
  granted?: number
}

/** An outcome with what is known of bans. */
export function banned (outcome: Outcome, ban: Banned | undefined): Outcome {
  if (ban === undefined) return outcome
  if (ban.waitMs === 0) return { ...outcome, ban }
  return { ...outcome, ban, remaining: 0, waitMs: Math.max(outcome.waitMs, ban.waitMs), resetMs: Math.max(outcome.resetMs, ban.waitMs) }
}

/** Checks are decided together: either each had room and was charged, or none was. */
export interface Verdict {
  readonly allowed: boolean
  /** In the order of the checks. */
  readonly outcomes: readonly Outcome[]
}

/** Something that was charged, to be taken back. */
export interface Charge extends Check { readonly atMs: number }

/** Exactly one of the two is there. It may be called before the call that takes it has returned. */
export type VerdictCallback = (error: Error | null, verdict?: Verdict) => void

/** Where admissions are counted. */
export interface LimitStore {
  /** Charges all or none. */
  take (checks: readonly Check[], callback: VerdictCallback): void
  /** Says what `take` would; charges nothing. */
  peek (checks: readonly Check[], callback: VerdictCallback): void
  /** Takes charges back as far as they still count. */
  refund (charges: readonly Charge[]): Promise<void>
  /** Holds slots anew, whether they are still there or not, and whatever the limit: who holds them is in flight. */
  renew (held: readonly Check[]): Promise<void>
  /**
   * Refuses a subject from now on, whatever it has used; what was counted stays.
   * @param ms - 0: no longer
   */
  block (rule: Rule, subject: string, ms: number): Promise<void>
  /** Forgets what a rule knows of a subject, a block too. */
  reset (rule: Rule, subject: string): Promise<void>
}
