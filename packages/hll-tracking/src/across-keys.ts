import { confidence, type Interval, intervalOf, standardError } from './interval.ts'
import type { Cardinality } from './sketch.ts'

/** A count of distinct ids, with what is known about its error. */
export interface UniqueEstimate {
  /** The best guess; the truth when `exact`. */
  value: number
  /** The truth is in [low, high] with this confidence. */
  low: number
  high: number
  confidence: number
  /** Whether the ids were few enough to be kept one by one. */
  exact: boolean
  /**
   * There when the ids were keyed by more than one key: who came under both cannot be told, so that `low` counts as if all
   * of them had, `high` as if none had, and `value` lies in the middle.
   */
  spansKeys?: true
}

// One-sided points of the normal distribution for 2.5 % divided by 1, 2, … 8 keys: together their lower bounds hold in 97.5 %.
const oneSidedPoints = [1.96, 2.2414, 2.3940, 2.4977, 2.5758, 2.6383, 2.6901, 2.7344]

/**
 * A count with what is known about its error, of what was counted under each key: those under one key are distinct, and at
 * least as many as under the one with the most, at most as many as under all together.
 */
export function estimateOf (counts: readonly Cardinality[]): UniqueEstimate {
  const nonEmpty = counts.filter(({ value }) => value > 0)
  if (nonEmpty.length <= 1) return withInterval(nonEmpty[0] ?? { value: 0, exact: true })
  const low = Math.max(...nonEmpty.map(count => count.exact ? count.value : lowOf(count.value, nonEmpty.length)))
  const high = nonEmpty.reduce((sum, count) => sum + boundsOf(count).high, 0)
  const most = Math.max(...nonEmpty.map(({ value }) => value))
  const all = nonEmpty.reduce((sum, { value }) => sum + value, 0)
  return { value: Math.round((most + all) / 2), low, high, confidence, exact: false, spansKeys: true }
}

function withInterval (count: Cardinality): UniqueEstimate {
  return { value: count.value, ...boundsOf(count), confidence, exact: count.exact }
}

const boundsOf = ({ value, exact }: Cardinality): Interval => exact ? { low: value, high: value } : intervalOf(value)

// The largest of several estimates is the one with the luckiest error: each must hold more surely than one alone.
const lowOf = (value: number, keys: number) => Math.floor(value / (1 + oneSidedPoints[keys - 1]! * standardError(value)))
