import type { BanRule } from '../algorithms/ban.ts'
import { batchText } from '../leases/batch.ts'
import { isSameRule } from '../rule.ts'
import { askedOf, type Check } from './store.ts'

/** What is asked of limits that are decided together. */
export type Mode = 'take' | 'peek'

/** A check, and for a refund when it was charged. */
type Asked = Check & { readonly atMs?: number }

/** Keys of a check: of its state, and of the ban that it may begin. */
export interface CheckKeys {
  state (check: Check): string
  ban (check: Check): string
}

/** What a shape is made of: questions that differ in their subjects alone share one. */
interface Shape { readonly mode: Mode | '', readonly checks: readonly Asked[] }

/** The first of as many characters as one call has shapes. */
const firstCharacter = 48

/** One call of `lua/limits.lua`. What questions have in common is said once: a busy route asks the same of many subjects. */
export class LimitCall {
  readonly keys: string[] = []
  readonly #action: 'decide' | 'refund' | 'renew'
  readonly #keys: CheckKeys
  readonly #shapes: Shape[] = []
  readonly #args: (string | number)[] = []
  #order = ''

  constructor (action: 'decide' | 'refund' | 'renew', keys: CheckKeys) {
    this.#action = action
    this.#keys = keys
  }

  get args (): (string | number)[] {
    return [this.#action, this.#order, ...this.#args]
  }

  /** Adds limits that are decided together; of a refund or a renewal all at once. */
  add (mode: Mode | '', checks: readonly Asked[]): void {
    this.#order += String.fromCharCode(firstCharacter + this.#shapeOf(mode, checks))
    for (const check of checks) {
      this.keys.push(this.#keys.state(check))
      if (check.ban !== undefined) this.keys.push(this.#keys.ban(check))
    }
  }

  #shapeOf (mode: Mode | '', checks: readonly Asked[]): number {
    for (let i = this.#shapes.length - 1; i >= 0; i--) {
      const shape = this.#shapes[i]!
      if (shape.mode === mode && isAlike(shape.checks, checks)) return i
    }
    this.#args.push(mode, checks.length)
    const countAt = this.#args.length - 1
    for (const check of checks) {
      const { rule, cost, slot, atMs = 0, ban, batch } = check
      const own = batch !== undefined ? batchText(batch) : rule.algorithm === 'concurrency' ? slot ?? 0 : atMs
      this.#args.push(rule.algorithm, rule.limit, rule.windowMs, rule.capacity, cost, own, askedOf(check))
      if (ban !== undefined) this.#pushBan(ban, countAt)
    }
    return this.#shapes.push({ mode, checks }) - 1
  }

  #pushBan ({ after, windowMs, forMs, factor, maxMs }: BanRule, countAt: number): void {
    this.#args.push('ban', after, windowMs, forMs, factor, maxMs, 0)
    this.#args[countAt] = Number(this.#args[countAt]) + 1
  }
}

// Each slot has a number of its own, and each process wants a batch of its own.
const isAlike = (some: readonly Asked[], others: readonly Asked[]) => some.length === others.length && some.every(({ rule, cost, ban, headroomTenths, batch }, i) => {
  const other = others[i]!
  return cost === other.cost && headroomTenths === other.headroomTenths && ban === other.ban && isSameRule(rule, other.rule) && rule.algorithm !== 'concurrency' && batch === undefined && other.batch === undefined
})
