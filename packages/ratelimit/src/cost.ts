import type { FastifyRequest } from 'fastify'
import { largest } from './bounds.ts'
import { FST_RSP_RATELIMIT_COST_INVALID } from './errors.ts'
import { shownValue } from './shown-value.ts'

/** Units a request costs; 0: this limit does not count it. */
export type CostOf = (request: FastifyRequest) => number | Promise<number>

/** @throws FST_RSP_RATELIMIT_COST_INVALID when it is no whole number from `least` on */
export function checkedCost (limit: string, cost: unknown, least: 0 | 1 = 1): number {
  if (!Number.isInteger(cost) || cost as number < least || cost as number > largest) {
    throw new FST_RSP_RATELIMIT_COST_INVALID(limit, String(least), shownValue(cost))
  }
  return cost as number
}
