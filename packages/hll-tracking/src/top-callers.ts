import type { Identities } from './identity.ts'
import type { TopEntry } from './space-saving.ts'
import type { BucketTop } from './stores/store.ts'
import { mergeSummaries, type Summary } from './top-merge.ts'

/** One of those who called most often. */
export interface TopCaller {
  /** As it was observed; `unknown:` and some characters when it was kept under a key that is not given. */
  id: string
  /** Calls; never less than the truth. */
  count: number
  /** By how much `count` may be too high. */
  maxOver: number
}

/** Those who called most often over all buckets, the first first; entries of one id that were made under several keys are one. */
export function topCallers (tops: readonly BucketTop[], k: number, identities: Identities): TopCaller[] {
  const merged = mergeSummaries(tops.map(top => byId(top, identities)))
  return Array.from(merged, ([id, { count, maxOver }]) => ({ id, count, maxOver }))
    .sort((a, b) => b.count - a.count || a.maxOver - b.maxOver)
    .slice(0, k)
}

/**
 * A top list by id. An id has a member for each scheme by which it was counted. Where one of them is absent it may have had
 * as many calls as the floor, but no more than were counted by this scheme at all.
 */
function byId ({ floor, entries, calls, callsByScheme }: BucketTop, identities: Identities): Summary {
  const absent = new Map(Array.from(callsByScheme, ([scheme, its]) => [scheme, Math.min(floor, its)]))
  const foreign = Math.max(0, Math.min(floor, calls - sum(callsByScheme.values())))
  const all = foreign + sum(absent.values())
  const found = new Map<string, TopEntry>()
  for (const [member, { count, maxOver }] of entries) {
    const bytes = Buffer.from(member, 'latin1')
    const { id, scheme } = identities.read(bytes) ?? { id: `unknown:${bytes.toString('base64url', 1, 10)}`, scheme: undefined }
    const instead = scheme === undefined ? foreign : absent.get(scheme) ?? 0
    let entry = found.get(id)
    if (entry === undefined) found.set(id, entry = { count: all, maxOver: all })
    entry.count += count - instead
    entry.maxOver += maxOver - instead
  }
  return { floor: all, entries: found }
}

function sum (values: Iterable<number>): number {
  let all = 0
  for (const value of values) all += value
  return all
}
