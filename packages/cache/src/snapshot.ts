import type { Versions } from './stores/store.ts'

/** The nonces of a namespace and of tags, as they were before a value was loaded. */
export interface Snapshot {
  readonly ns: string
  readonly tags: ReadonlyMap<string, string>
}

/** The nonces of the namespace and of these tags that hold now; undefined where one is missing. */
export function snapshotOf (tags: readonly string[], versions: Versions): Snapshot | undefined {
  const nonces = tags.map(tag => versions.tags.get(tag) ?? null)
  if (versions.ns === null || nonces.includes(null)) return undefined
  return { ns: versions.ns, tags: new Map(tags.map((tag, i) => [tag, nonces[i]!])) }
}

/** Equality only, and a lost record is a mismatch: what was true before a failover may be true again. */
export function isCurrent (snapshot: Snapshot, versions: Versions): boolean {
  if (snapshot.ns !== versions.ns) return false
  for (const [tag, nonce] of snapshot.tags) if (versions.tags.get(tag) !== nonce) return false
  return true
}
