import type { Clock } from '@respite/redis'
import type { Algorithm } from '../algorithms/algorithm.ts'
import { algorithms } from '../algorithms/algorithms.ts'
import { FST_RSP_RATELIMIT_FULL } from '../errors.ts'
import { takeBatch } from '../leases/batch.ts'
import type { Rule } from '../rule.ts'
import { countName } from '../subject.ts'
import { BoundedStates, type Kept } from './bounded-states.ts'
import { MemoryBans } from './memory-bans.ts'
import { askedOf, type Banned, banned, type Charge, type Check, isShed, type LimitStore, type Outcome, type Verdict, type VerdictCallback } from './store.ts'

/** The state of a rule and subject. */
class Counted implements Kept {
  /** As the state was advanced to last. */
  rule: Rule
  readonly state: unknown
  untilMs: number
  /** Refused until then, whatever it has used. */
  blockedUntilMs = 0
  /** The largest cost that was refused though it will have room: there may be room for one unit meanwhile. */
  #refused = 1

  constructor (rule: Rule, nowUs: number) {
    this.rule = rule
    this.state = algorithms[rule.algorithm].fresh(rule, nowUs)
    this.untilMs = nowUs / 1_000 + rule.windowMs
  }

  /** As long as it says something now. */
  keep (rule: Rule, nowUs: number): void {
    this.untilMs = Math.max(this.blockedUntilMs, nowUs / 1_000 + algorithms[rule.algorithm].lifeMs(this.state, rule, nowUs))
  }

  refuse (cost: number): void {
    this.#refused = Math.max(this.#refused, cost)
  }

  /** Ms for which a block refuses it. */
  blockedForMs (nowUs: number): number {
    return Math.max(0, this.blockedUntilMs - Math.floor(nowUs / 1_000))
  }

  blocked (nowMs: number): boolean {
    if (this.blockedUntilMs > nowMs) return true
    const { rule, state } = this
    return algorithms[rule.algorithm].waitMs(state, rule, nowMs * 1_000, Math.min(this.#refused, rule.capacity)) > 0
  }
}

/** A check with what is known of its subject. */
interface Open {
  readonly check: Check
  readonly algorithm: Algorithm
  readonly counted: Counted | undefined
  readonly waitMs: number
  readonly blockedMs: number
  readonly ban: Banned | undefined
}

/** Limits in this process: the store where there is no server, and what takes over while it is away. */
export class MemoryStore implements LimitStore {
  readonly #states: BoundedStates<Counted>
  readonly #bans: MemoryBans
  /** By rule: of subjects that have no place of their own. */
  readonly #shared = new Map<string, Counted>()
  readonly #nowUs: () => number

  /** @param maxKeys - subjects of all rules together that are kept at most */
  constructor ({ clock, maxKeys }: { clock: Clock, maxKeys: number }) {
    this.#states = new BoundedStates(maxKeys)
    this.#bans = new MemoryBans(maxKeys)
    // Runs evenly, from a time that looks like one: a wall clock that is set must not open or close a limit.
    const startMs = clock.wallMs() - clock.monotonicMs()
    this.#nowUs = () => Math.floor((startMs + clock.monotonicMs()) * 1_000)
  }

  get size (): number { return this.#states.size }

  take (checks: readonly Check[], callback: VerdictCallback): void {
    callback(null, this.#decide(checks, true))
  }

  peek (checks: readonly Check[], callback: VerdictCallback): void {
    callback(null, this.#decide(checks, false))
  }

  async refund (charges: readonly Charge[]): Promise<void> {
    const nowUs = this.#nowUs()
    for (const charge of charges) {
      const { rule } = charge
      const counted = this.#find(charge, nowUs)
      if (counted === undefined || rule.capacity === 0 || counted.blockedForMs(nowUs) > 0) continue
      const algorithm = algorithms[rule.algorithm]
      algorithm.advance(counted.state, rule, nowUs)
      algorithm.refund(counted.state, rule, nowUs, charge)
      counted.keep(rule, nowUs)
    }
  }

  async renew (held: readonly Check[]): Promise<void> {
    const nowUs = this.#nowUs()
    for (const check of held) {
      const { rule, cost, slot } = check
      if (rule.capacity === 0) continue
      const algorithm = algorithms[rule.algorithm]
      const counted = this.#find(check, nowUs) ?? this.#begin(check, nowUs)
      if (counted.blockedForMs(nowUs) > 0) continue
      algorithm.advance(counted.state, rule, nowUs)
      algorithm.charge(counted.state, rule, nowUs, cost, slot)
      counted.keep(rule, nowUs)
    }
  }

  /** @throws FST_RSP_RATELIMIT_FULL */
  async block (rule: Rule, subject: string, ms: number): Promise<void> {
    const nowUs = this.#nowUs()
    const known = this.#find({ rule, subject, cost: 1 }, nowUs)
    if (known === undefined && ms === 0) return
    const counted = known ?? new Counted(rule, nowUs)
    counted.blockedUntilMs = ms === 0 ? 0 : Math.floor(nowUs / 1_000) + ms
    counted.untilMs = Math.max(counted.untilMs, counted.blockedUntilMs)
    if (!this.#states.set(countName(rule.name, subject), counted, nowUs / 1_000)) throw new FST_RSP_RATELIMIT_FULL(this.#states.size)
  }

  async reset (rule: Rule, subject: string): Promise<void> {
    this.#states.delete(countName(rule.name, subject))
    this.#bans.delete({ rule, subject })
  }

  /** Forgets everything. */
  clear (): void {
    this.#states.clear()
    this.#bans.clear()
    this.#shared.clear()
  }

  #decide (checks: readonly Check[], charging: boolean): Verdict {
    const nowUs = this.#nowUs()
    const open = checks.map(check => this.#open(check, nowUs, charging))
    const allowed = open.every(({ waitMs, ban }) => waitMs === 0 && (ban === undefined || ban.waitMs === 0))
    const outcomes = open.map(one => {
      const units = allowed && charging ? this.#charge(one, nowUs) : 0
      const outcome = outcomeOf(one, nowUs)
      if (one.check.batch !== undefined) outcome.granted = units
      return banned(outcome, charging ? this.#struck(one, nowUs) : one.ban)
    })
    return { allowed, outcomes }
  }

  #struck (open: Open, nowUs: number): Banned | undefined {
    const { check, waitMs, ban } = open
    if (ban === undefined || ban.waitMs > 0 || waitMs === 0 || isShed(check, outcomeOf(open, nowUs))) return ban
    return this.#bans.strike({ ...check, ban: check.ban! }, Math.floor(nowUs / 1_000))
  }

  #open (check: Check, nowUs: number, charging: boolean): Open {
    const { rule, cost } = check
    const algorithm = algorithms[rule.algorithm]
    const ban = this.#bans.look(check, Math.floor(nowUs / 1_000))
    if (rule.capacity === 0) return { check, algorithm, counted: undefined, waitMs: Infinity, blockedMs: 0, ban }
    const counted = this.#find(check, nowUs) ?? (charging ? this.#begin(check, nowUs) : this.#foresee(rule, nowUs))
    const blockedMs = counted.blockedForMs(nowUs)
    if (blockedMs > 0) return { check, algorithm, counted: undefined, waitMs: cost > rule.capacity ? Infinity : blockedMs, blockedMs, ban }
    if (algorithm.advance(counted.state, rule, nowUs)) counted.keep(rule, nowUs)
    if (check.batch?.back !== undefined) {
      algorithm.refund(counted.state, rule, nowUs, { cost: check.batch.back.units, atMs: check.batch.back.atMs })
      algorithm.advance(counted.state, rule, nowUs)
    }
    counted.rule = rule
    const waitMs = cost > rule.capacity ? Infinity : algorithm.waitMs(counted.state, rule, nowUs, askedOf(check))
    if (charging && waitMs > 0 && waitMs < Infinity) counted.refuse(cost)
    return { check, algorithm, counted, waitMs, blockedMs, ban }
  }

  #find ({ rule, subject }: Check, nowUs: number): Counted | undefined {
    const counted = this.#states.get(countName(rule.name, subject), nowUs / 1_000)
    // Of another algorithm: from before a change of the rule.
    return counted?.rule.algorithm === rule.algorithm ? counted : undefined
  }

  #begin ({ rule, subject }: Check, nowUs: number): Counted {
    const counted = new Counted(rule, nowUs)
    if (this.#states.set(countName(rule.name, subject), counted, nowUs / 1_000)) return counted
    // All who are kept are refused: those who come now share one count, so that a flood gains nothing by it.
    const shared = this.#sharedBy(rule, nowUs)
    if (shared !== undefined) return shared
    this.#shared.set(rule.name, counted)
    return counted
  }

  /** What `#begin` would find, without a trace. */
  #foresee (rule: Rule, nowUs: number): Counted {
    const shared = this.#states.hasPlace(nowUs / 1_000) ? undefined : this.#sharedBy(rule, nowUs)
    return shared ?? new Counted(rule, nowUs)
  }

  #sharedBy (rule: Rule, nowUs: number): Counted | undefined {
    const shared = this.#shared.get(rule.name)
    return shared !== undefined && shared.untilMs > nowUs / 1_000 && shared.rule.algorithm === rule.algorithm ? shared : undefined
  }

  /** @returns units charged */
  #charge ({ check, algorithm, counted }: Open, nowUs: number): number {
    const { rule, cost, slot, batch } = check
    const units = batch === undefined ? cost : takeBatch(counted!.state, rule, nowUs, { cost, batch })
    algorithm.charge(counted!.state, rule, nowUs, units, slot)
    counted!.keep(rule, nowUs)
    return units
  }
}

function outcomeOf ({ check: { rule }, algorithm, counted, waitMs, blockedMs }: Open, nowUs: number): Outcome {
  const atMs = Math.floor(nowUs / 1_000)
  if (counted === undefined) return { remaining: 0, waitMs, resetMs: blockedMs, atMs, by: 'store' }
  return { remaining: algorithm.remaining(counted.state, rule, nowUs), waitMs, resetMs: algorithm.resetMs(counted.state, rule, nowUs), atMs, by: 'store' }
}
