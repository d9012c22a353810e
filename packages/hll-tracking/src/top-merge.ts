import type { TopEntry } from './space-saving.ts'

/** A bucket's most frequent members, and what may be missing. */
export interface Summary {
  /** No absent member was seen more often than this. */
  readonly floor: number
  /** By member, its bytes as latin1. */
  readonly entries: ReadonlyMap<string, Readonly<TopEntry>>
}

/**
 * Adds up summaries. Where a member is absent it may have had as many calls as the summary's floor: they are added to
 * both its count and its error, so that the count stays never under the truth.
 * @see P. K. Agarwal et al., Mergeable summaries (2012)
 */
export function mergeSummaries (summaries: readonly Summary[]): Map<string, TopEntry> {
  const floors = summaries.reduce((sum, { floor }) => sum + floor, 0)
  const merged = new Map<string, TopEntry>()
  for (const { floor, entries } of summaries) {
    for (const [member, { count, maxOver }] of entries) {
      let sum = merged.get(member)
      if (sum === undefined) merged.set(member, sum = { count: floors, maxOver: floors })
      sum.count += count - floor
      sum.maxOver += maxOver - floor
    }
  }
  return merged
}
