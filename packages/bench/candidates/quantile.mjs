/** The time by which this share of what was timed was over, in the unit of the times; 0 where nothing was. */
export function quantile (times, share) {
  return times.toSorted((a, b) => a - b)[Math.floor(share * times.length)] ?? 0
}
