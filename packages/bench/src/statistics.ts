/** The middle of several measurements and how far they lay apart. */
export interface Spread { median: number, min: number, max: number }

/** @throws RangeError when there is nothing to sum up */
export function spreadOf (values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('no values to take a median of')
  const sorted = [...values].sort((a, b) => a - b)
  const middle = Math.floor(sorted.length / 2)
  const median = sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
  return { median, min: sorted[0]!, max: sorted.at(-1)! }
}
