import type { Rule } from '../rule.ts'

/**
 * One way to count. A pure function of (state, cost, now), twin of its part of `lua/limits.lua`: both answer alike, to the bit.
 * Every other call wants a state that `advance` has brought to the same `nowUs`. States are changed in place.
 */
export interface Algorithm<State = unknown> {
  /** Of a subject that nobody has seen. */
  fresh (rule: Rule, nowUs: number): State
  /**
   * Brings a state to now, and to the rule as it is now.
   * @returns whether it changed by more than the passing of time, so that it must be stored even if nothing is charged: the rule is another,
   * or the state lay ahead of the clock, which was set back; it then counts as if it ended now
   */
  advance (state: State, rule: Rule, nowUs: number): boolean
  /** Units free now. */
  remaining (state: State, rule: Rule, nowUs: number): number
  /** 0 when `cost` units are free now, else ms until they are if nobody else comes. `cost` is at most the rule's capacity. */
  waitMs (state: State, rule: Rule, nowUs: number, cost: number): number
  /** Until all is free again, in ms; 0 when it is. */
  resetMs (state: State, rule: Rule, nowUs: number): number
  /** @param slot - with concurrency the number that its refund will name; one that is held is held anew */
  charge (state: State, rule: Rule, nowUs: number, cost: number, slot?: number): void
  /** Takes back what was charged at `atMs`, if it still counts; never more than was charged then. */
  refund (state: State, rule: Rule, nowUs: number, charge: { cost: number, atMs: number, slot?: number }): void
  /** How long the state matters, in ms. */
  lifeMs (state: State, rule: Rule, nowUs: number): number
}

/** Whole milliseconds of a time in microseconds. */
export const msOf = (us: number) => Math.floor(us / 1_000)
