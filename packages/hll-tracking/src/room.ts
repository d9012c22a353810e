import type { EventBuffer, Share } from './buffer.ts'
import type { BatchEntry } from './stores/store.ts'

/** Batches of each metric that the store does not have yet, in order. */
export type PendingEntries = ReadonlyMap<string, { readonly entries: BatchEntry[] }[]>

// Looking for the metric that holds most costs a look at each: it gives up some places at a time.
const partGivenUp = 1 / 16

/**
 * Makes room in a full buffer for a metric that holds less than its share, which is as much as each would have if all that
 * are in it had the same: the one that holds most gives up a part of what it has beyond that, first what waits, the oldest
 * first, then what was never offered to the store. What was offered stays: it may have been counted.
 * @returns calls that are lost; 0 when there is no room
 */
export function makeRoom (metric: string, buffer: EventBuffer, pending: PendingEntries): number {
  // Of a flood nearly all end here: it costs no look at the other metrics.
  const own = buffer.entriesOf(metric)
  const fair = Math.floor(buffer.maxEntries / (own === 0 ? buffer.metrics + 1 : buffer.metrics))
  if (own >= fair) return 0
  let most: Share | undefined
  for (const share of buffer.shares()) {
    const gives = share.entries > fair && (share.waiting > 0 || unoffered(pending, share.metric).length > 0)
    if (gives && (most === undefined || share.entries > most.entries)) most = share
  }
  if (most === undefined) return 0
  const entries = Math.ceil((most.entries - fair) * partGivenUp)
  return most.waiting > 0 ? buffer.giveUp(most.metric, entries) : shorten(most.metric, entries, { buffer, pending })
}

// The first is, or was, on its way to the store.
const unoffered = (pending: PendingEntries, metric: string) => pending.get(metric)?.slice(1) ?? []

// A batch that was never sent may still become another.
function shorten (metric: string, entries: number, { buffer, pending }: { buffer: EventBuffer, pending: PendingEntries }): number {
  const batch = unoffered(pending, metric).at(-1)!
  const gone = batch.entries.splice(-entries)
  if (batch.entries.length === 0) pending.get(metric)!.pop()
  buffer.release(metric, gone.length)
  return callsOf(gone)
}

/** Calls of entries, together. */
export const callsOf = (entries: readonly BatchEntry[]) => entries.reduce((sum, { calls }) => sum + calls, 0)
