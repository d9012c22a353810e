import { type Keyspace, type KeyShape, type Link, loadScript } from '@respite/redis'
import { keys } from '../keys.ts'
import type { Rule } from '../rule.ts'
import type { Charge, Check, LimitStore, Outcome, Verdict, VerdictCallback } from './store.ts'

const limits = loadScript('ratelimit.limits', new URL('../../lua/limits.lua', import.meta.url))

const never = -1
const perOutcome = 3

/** Limits in Redis: one script decides all checks of a call; in a Cluster, all of a subject. */
export class RedisStore implements LimitStore {
  readonly #link: Link
  readonly #shape: KeyShape

  /** @param link - under the deadline of the limits */
  constructor (link: Link, keyspace: Keyspace) {
    this.#link = link
    this.#shape = keyspace.define(keys.state.template)
  }

  take (checks: readonly Check[], callback: VerdictCallback): void {
    const groups = this.#bySlot(checks)
    if (groups === undefined) this.#run('take', checks, callback)
    else this.#takeEach(checks, groups, callback)
  }

  peek (checks: readonly Check[], callback: VerdictCallback): void {
    const groups = this.#bySlot(checks)
    if (groups === undefined) this.#run('peek', checks, callback)
    else all(groups, (group, done) => this.#run('peek', group, done), (error, verdicts) => callback(error, error === null ? joined(checks, groups, verdicts) : undefined))
  }

  async refund (charges: readonly Charge[]): Promise<void> {
    const groups = this.#bySlot(charges) ?? [charges]
    await Promise.all(groups.map(group => {
      const args: (string | number)[] = ['refund']
      for (const charge of group) pushArgs(args, charge, charge.atMs)
      return this.#link.run(limits, this.#keysOf(group), args)
    }))
  }

  async reset (rule: Rule, subject: string): Promise<void> {
    await this.#link.send('DEL', this.#shape.key(subject, rule.name))
  }

  // A script must stay in one slot. If one of them refuses, what the others have charged is taken back.
  #takeEach (checks: readonly Check[], groups: readonly Check[][], callback: VerdictCallback): void {
    all(groups, (group, done) => this.#run('take', group, done), (error, verdicts) => {
      const refused = error !== null || verdicts.some(verdict => verdict?.allowed === false)
      if (refused) this.#undo(groups, verdicts)
      callback(error, error === null ? joined(checks, groups, verdicts) : undefined)
    })
  }

  #undo (groups: readonly Check[][], verdicts: readonly (Verdict | undefined)[]): void {
    const charges = groups.flatMap((group, i) => verdicts[i]?.allowed === true
      ? group.map((check, j): Charge => {
        const outcome = verdicts[i]!.outcomes[j]!
        outcome.remaining += check.cost
        return { ...check, atMs: outcome.atMs }
      })
      : [])
    // Whoever cannot take back what was charged leaves it to its window.
    if (charges.length > 0) this.refund(charges).catch(() => undefined)
  }

  #run (mode: 'take' | 'peek', checks: readonly Check[], callback: VerdictCallback): void {
    const args: (string | number)[] = [mode]
    for (const check of checks) pushArgs(args, check, 0)
    this.#link.call(limits, this.#keysOf(checks), args, (error, reply) => {
      if (error === null) callback(null, verdictOf(reply as unknown[]))
      else callback(error)
    })
  }

  #keysOf (checks: readonly Check[]): string[] {
    return checks.map(({ rule, subject }) => this.#shape.key(subject, rule.name))
  }

  /** The checks by their slots, or undefined where one script may have them all. */
  #bySlot<One extends Check> (checks: readonly One[]): One[][] | undefined {
    if (!this.#link.features.cluster || checks.every(check => check.subject === checks[0]!.subject)) return undefined
    const groups = new Map<string, One[]>()
    for (const check of checks) groups.set(check.subject, [...groups.get(check.subject) ?? [], check])
    return [...groups.values()]
  }
}

function pushArgs (args: (string | number)[], { rule, cost }: Check, atMs: number): void {
  args.push(rule.algorithm, rule.limit, rule.windowMs, rule.capacity, cost, atMs)
}

function verdictOf (reply: readonly unknown[]): Verdict {
  const atMs = Number(reply[0])
  const outcomes: Outcome[] = []
  let allowed = true
  for (let i = 1; i < reply.length; i += perOutcome) {
    const waitMs = Number(reply[i + 1])
    allowed &&= waitMs === 0
    outcomes.push({ remaining: Number(reply[i]), waitMs: waitMs === never ? Infinity : waitMs, resetMs: Number(reply[i + 2]), atMs, by: 'store' })
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
