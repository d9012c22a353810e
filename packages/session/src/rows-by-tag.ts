import type { PendingRow } from './stores/store.ts'

/** The rows of each user: one script a user, since its keys are of one slot. */
export function rowsByTag (rows: readonly PendingRow[]): Map<string, PendingRow[]> {
  const groups = new Map<string, PendingRow[]>()
  for (const row of rows) {
    const some = groups.get(row.tag)
    if (some === undefined) groups.set(row.tag, [row])
    else some.push(row)
  }
  return groups
}
