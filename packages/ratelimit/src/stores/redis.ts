import { type Keyspace, type KeyShape, type Link, loadScript } from '@respite/redis'
import { keys } from '../keys.ts'
import type { Rule } from '../rule.ts'
import { type CheckKeys, LimitCall, type Mode } from './limit-call.ts'
import { banned, type Charge, type Check, type LimitStore, type Outcome, type Verdict, type VerdictCallback } from './store.ts'

const limits = loadScript('ratelimit.limits', new URL('../../lua/limits.lua', import.meta.url))
const blocking = loadScript('ratelimit.block', new URL('../../lua/block.lua', import.meta.url))

const never = -1
const perOutcome = 3
/** Limits that one call decides at most: Redis serves nobody else meanwhile. */
const mostAtOnce = 64

/** Limits that are decided together, and who wants to know. */
interface Question { readonly mode: Mode, readonly checks: readonly Check[], readonly callback: VerdictCallback }

/** Limits in Redis: one script decides all questions of a turn of the event loop, in their order; in a Cluster, those of a subject and question. */
export class RedisStore implements LimitStore {
  readonly #link: Link
  readonly #shape: KeyShape
  readonly #onUndone: (charges: readonly Charge[]) => void
  readonly #banShape: KeyShape
  readonly #keys: CheckKeys
  #waiting: Question[] = []
  /** Limits of those that wait. */
  #limits = 0

  /**
   * @param link - under the deadline of the limits
   * @param onUndone - told what was charged and taken back, since a limit in another slot has refused
   */
  constructor (link: Link, keyspace: Keyspace, { onUndone = () => {} }: { onUndone?: (charges: readonly Charge[]) => void } = {}) {
    this.#link = link
    this.#onUndone = onUndone
    this.#shape = keyspace.define(keys.state.template)
    this.#banShape = keyspace.define(keys.ban.template)
    this.#keys = {
      state: ({ subject, rule }) => this.#shape.key(subject, rule.name),
      ban: ({ subject, rule }) => this.#banShape.key(subject, rule.name)
    }
  }

  take (checks: readonly Check[], callback: VerdictCallback): void {
    const groups = this.#bySlot(checks)
    if (groups === undefined) this.#ask({ mode: 'take', checks, callback })
    else this.#takeEach(checks, groups, callback)
  }

  peek (checks: readonly Check[], callback: VerdictCallback): void {
    const groups = this.#bySlot(checks)
    if (groups === undefined) this.#ask({ mode: 'peek', checks, callback })
    else all(groups, (group, done) => this.#run([{ mode: 'peek', checks: group, callback: done }]), (error, verdicts) => callback(error, error === null ? joined(checks, groups, verdicts) : undefined))
  }

  async refund (charges: readonly Charge[]): Promise<void> {
    this.#flush() // calls are decided in their order
    await this.#change('refund', charges)
  }

  async renew (held: readonly Check[]): Promise<void> {
    for (let i = 0; i < held.length; i += mostAtOnce) await this.#change('renew', held.slice(i, i + mostAtOnce))
  }

  async block (rule: Rule, subject: string, ms: number): Promise<void> {
    this.#flush()
    await this.#link.run(blocking, [this.#shape.key(subject, rule.name)], [ms])
  }

  async reset (rule: Rule, subject: string): Promise<void> {
    this.#flush()
    await this.#link.send('DEL', this.#shape.key(subject, rule.name), this.#banShape.key(subject, rule.name))
  }

  async #change (mode: 'refund' | 'renew', checks: readonly (Check & { readonly atMs?: number })[]): Promise<void> {
    const groups = this.#bySlot(checks) ?? [checks]
    await Promise.all(groups.map(group => {
      const call = new LimitCall(mode, this.#keys)
      call.add('', group.map(check => ({ ...check, ban: undefined })))
      return this.#link.run(limits, call.keys, call.args)
    }))
  }

  // A script must stay in one slot. If one of them refuses, what the others have charged is taken back.
  #takeEach (checks: readonly Check[], groups: readonly Check[][], callback: VerdictCallback): void {
    all(groups, (group, done) => this.#run([{ mode: 'take', checks: group, callback: done }]), (error, verdicts) => {
      const refused = error !== null || verdicts.some(verdict => verdict?.allowed === false)
      if (refused) this.#undo(groups, verdicts)
      callback(error, error === null ? joined(checks, groups, verdicts) : undefined)
    })
  }

  #undo (groups: readonly Check[][], verdicts: readonly (Verdict | undefined)[]): void {
    const charges = groups.flatMap((group, i) => verdicts[i]?.allowed === true
      ? group.map((check, j): Charge => {
        const outcome = verdicts[i]!.outcomes[j]!
        const cost = outcome.granted ?? check.cost
        outcome.remaining += cost
        if (outcome.granted !== undefined) outcome.granted = 0
        const { batch: _, ...charged } = check
        return { ...charged, cost, atMs: outcome.atMs }
      })
      : [])
    // Whoever cannot take back what was charged leaves it to its window.
    if (charges.length > 0) this.refund(charges).then(() => this.#onUndone(charges), () => undefined)
  }

  /** Along with all that are asked in this turn; in a Cluster at once, since a script must stay in one slot. */
  #ask (question: Question): void {
    if (this.#link.features.cluster) {
      this.#run([question])
      return
    }
    if (this.#limits + question.checks.length > mostAtOnce) this.#flush()
    if (this.#waiting.push(question) === 1) this.#link.soon(() => this.#flush())
    this.#limits += question.checks.length
  }

  #flush (): void {
    const questions = this.#waiting
    if (questions.length === 0) return
    this.#waiting = []
    this.#limits = 0
    this.#run(questions)
  }

  #run (questions: readonly Question[]): void {
    const call = new LimitCall('decide', this.#keys)
    for (const { mode, checks } of questions) call.add(mode, checks)
    this.#link.call(limits, call.keys, call.args, (error, reply) => {
      let from = 1
      // What leases were granted stands behind all outcomes.
      let grants = 1 + perOutcome * call.keys.length
      for (const { checks, callback } of questions) {
        if (error === null) {
          const verdict = verdictOf(reply as unknown[], from, checks)
          checks.forEach(({ batch }, i) => { if (batch !== undefined) verdict.outcomes[i]!.granted = Number((reply as unknown[])[grants++]) })
          callback(null, verdict)
        } else callback(error)
        for (const { ban } of checks) from += ban === undefined ? perOutcome : 2 * perOutcome
      }
    })
  }

  /** The checks by their slots, or undefined where one script may have them all. */
  #bySlot<One extends Check> (checks: readonly One[]): One[][] | undefined {
    if (!this.#link.features.cluster || checks.every(check => check.subject === checks[0]!.subject)) return undefined
    const groups = new Map<string, One[]>()
    for (const check of checks) groups.set(check.subject, [...groups.get(check.subject) ?? [], check])
    return [...groups.values()]
  }
}

/** @param from - where its first outcome lies in the reply */
function verdictOf (reply: readonly unknown[], from: number, checks: readonly Check[]): Verdict {
  const atMs = Number(reply[0])
  const outcomes: Outcome[] = []
  let allowed = true
  let at = from
  for (const { ban } of checks) {
    const waitMs = Number(reply[at + 1])
    const outcome: Outcome = { remaining: Number(reply[at]), waitMs: waitMs === never ? Infinity : waitMs, resetMs: Number(reply[at + 2]), atMs, by: 'store' }
    at += perOutcome
    outcomes.push(ban === undefined ? outcome : banned(outcome, { times: Number(reply[at]), waitMs: Number(reply[at + 1]), begunMs: Number(reply[at + 2]) }))
    if (ban !== undefined) at += perOutcome
    allowed &&= outcomes.at(-1)!.waitMs === 0
  }
  return { allowed, outcomes }
}

/** One verdict of several, in the order of the checks. */
function joined (checks: readonly Check[], groups: readonly Check[][], verdicts: readonly (Verdict | undefined)[]): Verdict {
  const outcomes = new Map<Check, Outcome>()
  groups.forEach((group, i) => group.forEach((check, j) => outcomes.set(check, verdicts[i]!.outcomes[j]!)))
  return { allowed: verdicts.every(verdict => verdict!.allowed), outcomes: checks.map(check => outcomes.get(check)!) }
}

type Ask = (group: readonly Check[], done: VerdictCallback) => void

/** Asks for each, all at once; the first error is the error of all, told when all are over. */
function all (groups: readonly Check[][], ask: Ask, callback: (error: Error | null, verdicts: (Verdict | undefined)[]) => void): void {
  const verdicts = new Array<Verdict | undefined>(groups.length)
  let failure: Error | null = null
  let left = groups.length
  groups.forEach((group, i) => ask(group, (error, verdict) => {
    failure ??= error
    verdicts[i] = verdict
    if (--left === 0) callback(failure, verdicts)
  }))
}
