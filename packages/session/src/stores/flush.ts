import type { Fields } from './store.ts'

/** A field that was changed in Redis first; without `json` it was deleted. */
export interface UnsavedField { readonly seq: number, readonly json: string | undefined }

/** Changes of a copy that its row may not have. */
export interface FlushRequest {
  readonly hash: string
  /** The version of the row that the copy knows. */
  readonly copyVersion: number
  readonly changes: ReadonlyMap<string, UnsavedField>
}

/** `stale`: the row has fields that the copy does not know of, which therefore must go. */
export type FlushResult = { readonly outcome: 'saved', readonly hash: string, readonly version: number, readonly stale: boolean } | { readonly outcome: 'gone' }

/** A row's data, with what it must know of changes that come from Redis. */
export interface RowData {
  readonly fields: Fields
  /** The highest sequence of a change that it has from Redis: none is taken twice, and none over a newer one. */
  readonly flushedSeq: number
  /** Fields that were saved without Redis, each with the version it was saved at: a copy that knows less must not undo them. */
  readonly through: ReadonlyMap<string, number>
}

/** The row after a flush. The same flush twice, or a late one, changes nothing. */
export function withFlush (row: RowData, { copyVersion, changes }: FlushRequest): { readonly row: RowData, readonly stale: boolean } {
  const fields = new Map(row.fields)
  let flushedSeq = row.flushedSeq
  for (const [name, { seq, json }] of changes) {
    flushedSeq = Math.max(flushedSeq, seq)
    if (seq <= row.flushedSeq || (row.through.get(name) ?? 0) > copyVersion) continue
    if (json === undefined) fields.delete(name)
    else fields.set(name, json)
  }
  // What the copy knows of needs no guard any more.
  const through = new Map([...row.through].filter(([, version]) => version > copyVersion))
  return { row: { fields, flushedSeq, through }, stale: through.size > 0 }
}

/** The row after a save that Redis may not hear of. */
export function withThrough (row: RowData, after: Fields, { changed, version }: { changed: Iterable<string>, version: number }): RowData {
  const through = new Map(row.through)
  for (const name of changed) through.set(name, version)
  return { fields: after, flushedSeq: row.flushedSeq, through }
}
