import { type Gcra, intervalUs } from '../algorithms/gcra.ts'
import { algorithms } from '../algorithms/algorithms.ts'
import type { Rule } from '../rule.ts'

/** Units of a limit that a process no longer spends. */
export interface Back {
  readonly units: number
  /** When they were charged, by the clock of the store. */
  readonly atMs: number
}

/** What a process wants to be granted with a cost, to spend the rest by itself. */
export interface Batch {
  /** Units, the cost among them, from 1 on; up to the cost no batch is wanted. */
  readonly want: number
  /** Processes that share the limit. A wrong number costs fairness, never safety. */
  readonly nodes: number
  /** With a strict gcra the lifetime of the lease; else 0. */
  readonly strictMs: number
  /** Given back before anything is taken. */
  readonly back: Back | undefined
}

/**
 * Units to charge for a cost that has room: a batch, or the cost alone, which is then a direct admission with no lifetime.
 * Half of what is free is shared among the processes, so that none takes what others are about to ask for. Twin of `batchOf` of lua/limits.lua
 * @param state - advanced to `nowUs`; of a strict batch it is moved to where its last spend would stand
 */
export function takeBatch (state: unknown, rule: Rule, nowUs: number, { cost, batch: { want, nodes, strictMs } }: { cost: number, batch: Batch }): number {
  const moved = rule.algorithm === 'gcra' && strictMs > 0 ? { tatUs: Math.max((state as Gcra).tatUs, nowUs + strictMs * 1_000) } : undefined
  const free = moved === undefined
    ? algorithms[rule.algorithm].remaining(state, rule, nowUs)
    : Math.floor((nowUs + rule.capacity * intervalUs(rule) - moved.tatUs) / intervalUs(rule))
  const units = Math.min(free, Math.max(cost, Math.min(Math.floor(free / (2 * nodes)), want)))
  if (units <= cost) return cost
  Object.assign(state as object, moved)
  return units
}

/** A batch as `lua/limits.lua` reads it. */
export const batchText = ({ want, nodes, strictMs, back }: Batch) => `${want}/${nodes}/${strictMs}/${back?.units ?? 0}/${back?.atMs ?? 0}`
