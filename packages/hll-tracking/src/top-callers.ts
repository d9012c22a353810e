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
  // Deciphering is what costs: a window of two hours has thousands of members, of which a few are shown.
  const read = readerOf(identities)
  if (isOfOneScheme(tops)) return first(k, mergeSummaries(tops)).map(([member, entry]) => ({ id: read(member).id, ...entry }))
  return first(k, mergeSummaries(tops.map(top => byId(top, read)))).map(([id, entry]) => ({ id, ...entry }))
}

// Where all members were made in one way, equal ids are equal members.
function isOfOneScheme (tops: readonly BucketTop[]): boolean {
  const schemes = new Set<string>()
  for (const { callsByScheme } of tops) for (const [scheme, its] of callsByScheme) if (its > 0) schemes.add(scheme)
  return schemes.size <= 1 && tops.every(({ calls, callsByScheme }) => calls <= sum(callsByScheme.values()))
}

function first (k: number, merged: ReadonlyMap<string, TopEntry>): [string, TopEntry][] {
  return Array.from(merged).sort(([, a], [, b]) => b.count - a.count || a.maxOver - b.maxOver).slice(0, k)
}

interface ReadMember {
  readonly id: string
  /** The way it was made; undefined where nobody can tell. */
  readonly scheme: string | undefined
}

// The same members are in many buckets: each is deciphered once.
function readerOf (identities: Identities): (member: string) => ReadMember {
  const known = new Map<string, ReadMember>()
  return member => {
    let found = known.get(member)
    if (found === undefined) {
      const bytes = Buffer.from(member, 'latin1')
      found = identities.read(bytes) ?? { id: `unknown:${bytes.toString('base64url', 1, 10)}`, scheme: undefined }
      known.set(member, found)
    }
    return found
  }
}

/**
 * A top list by id. An id has a member for each scheme by which it was counted. Where one of them is absent it may have had
 * as many calls as the floor, but no more than were counted by this scheme at all.
 */
function byId ({ floor, entries, calls, callsByScheme }: BucketTop, read: (member: string) => ReadMember): Summary {
  const absent = new Map(Array.from(callsByScheme, ([scheme, its]) => [scheme, Math.min(floor, its)]))
  const foreign = Math.max(0, Math.min(floor, calls - sum(callsByScheme.values())))
  const all = foreign + sum(absent.values())
  const found = new Map<string, TopEntry>()
  for (const [member, { count, maxOver }] of entries) {
    const { id, scheme } = read(member)
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
