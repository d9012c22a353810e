/** Values counted by buckets: each at the first bound it does not exceed, or last, beyond all bounds. */
export interface Counted {
  readonly bounds: readonly number[]
  readonly counts: readonly number[]
}

/** All that a histogram says of a value: between which of its bounds it lies. */
export interface Bucket {
  above: number
  /** Undefined: beyond all bounds. */
  upTo: number | undefined
  /** As far in as this part of the values it has counted. */
  into: number
}

/**
 * Where the value lies that so large a part does not exceed.
 * @param part - above 0, at most 1
 * @returns undefined where nothing was counted
 */
export function bucketAt ({ bounds, counts }: Counted, part: number): Bucket | undefined {
  const target = part * counts.reduce((sum, count) => sum + count, 0)
  if (target === 0) return undefined
  let before = 0
  for (const [i, count] of counts.entries()) {
    if (count > 0 && before + count >= target) return { above: bounds[i - 1] ?? 0, upTo: bounds[i], into: (target - before) / count }
    before += count
  }
  return undefined
}

/**
 * That value itself, as if values lay evenly within a bucket: good for the shape of a line, and no more than a guess.
 * @returns undefined where nothing was counted; the highest bound where the true value lies beyond it
 */
export function estimatedPercentile (counted: Counted, part: number): number | undefined {
  const bucket = bucketAt(counted, part)
  if (bucket === undefined) return undefined
  const { above, upTo = above, into } = bucket
  return above + (upTo - above) * into
}
