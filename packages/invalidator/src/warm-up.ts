import type { Clock, Duration, Invalidation } from '@respite/redis'

/** What a load is given. */
export interface WarmContext {
  /** Aborts when the budget is spent or the app closes. */
  readonly signal: AbortSignal
}

/** An entry to be there before it is asked for. */
export interface WarmEntry {
  readonly key: string
  load (context: WarmContext): unknown
  /** @default the cache's */
  readonly ttl?: Duration
}

/** How entries are warmed. */
export interface WarmUpOptions {
  /** How many are loaded at once, 1 to 1000. @default the plugin's */
  concurrency?: number
  /** How long it may take; what has not begun by then is skipped. @default the plugin's */
  budget?: Duration
  /** Run before the app is ready instead of now; for calls made while the app is put together. @default false */
  onReady?: boolean
  /** Told after each entry. */
  onProgress?: (done: number, of: number) => void
}

/** What became of a warm-up. */
export interface WarmUpReport {
  /** Entries that are there now. */
  loaded: number
  /** Keys whose load was run and whose value is not there: it was undefined, was invalidated meanwhile, or Redis is down. */
  unstored: string[]
  /** Keys whose load threw, with what it threw. */
  failed: { key: string, error: Error }[]
  /** Keys for which the budget was spent, or the app closed: not begun, or not ended in time. */
  skipped: string[]
  /** Whether the app has closed meanwhile. */
  aborted: boolean
  tookMs: number
}

/** A warm-up with its bounds. */
export interface WarmUp {
  readonly entries: readonly (Omit<WarmEntry, 'ttl'> & { readonly ttlMs: number | undefined })[]
  readonly concurrency: number
  readonly budgetMs: number
  /** Aborts when the app closes. */
  readonly closing: AbortSignal
  readonly onProgress: (done: number, of: number) => void
}

const longestTimerMs = 2_147_483_647

/** Loads what is not there, some at a time, within the budget. */
export async function warm (plan: WarmUp, cache: Invalidation, clock: Clock): Promise<WarmUpReport> {
  const { entries, concurrency, budgetMs, closing } = plan
  const startedAt = clock.monotonicMs()
  const report: WarmUpReport = { loaded: 0, unstored: [], failed: [], skipped: [], aborted: false, tookMs: 0 }
  const open = new Set(entries.keys())
  // One iterator for all workers: each takes what is next.
  const work = { plan, cache, report, open, queue: entries.entries() }
  const over = new AbortController()
  const stop = () => over.abort()
  const timer = setTimeout(stop, Math.min(budgetMs, longestTimerMs))
  closing.addEventListener('abort', stop)
  const spent = new Promise<void>(resolve => over.signal.addEventListener('abort', () => resolve()))
  if (closing.aborted) stop()
  await Promise.race([spent, Promise.all(Array.from({ length: Math.min(concurrency, entries.length) }, () => warmSome(work, over.signal)))])
  clearTimeout(timer)
  closing.removeEventListener('abort', stop)
  report.aborted = closing.aborted
  report.skipped = [...open].map(i => entries[i]!.key)
  report.tookMs = clock.monotonicMs() - startedAt
  return report
}

interface Work {
  readonly plan: WarmUp
  readonly cache: Invalidation
  readonly report: WarmUpReport
  /** Positions of entries that have not ended. */
  readonly open: Set<number>
  readonly queue: Iterable<[number, WarmUp['entries'][number]]>
}

async function warmSome ({ plan, cache, report, open, queue }: Work, signal: AbortSignal): Promise<void> {
  for (const [i, entry] of queue) {
    if (signal.aborted) return
    const outcome = await warmOne(entry, cache, signal)
    // What ends after the report was made is none of it.
    if (signal.aborted) return
    if (outcome === 'loaded') report.loaded++
    else if (outcome === 'unstored') report.unstored.push(entry.key)
    else report.failed.push({ key: entry.key, error: outcome })
    open.delete(i)
    plan.onProgress(plan.entries.length - open.size, plan.entries.length)
  }
}

async function warmOne ({ key, load, ttlMs }: WarmUp['entries'][number], cache: Invalidation, signal: AbortSignal): Promise<'loaded' | 'unstored' | Error> {
  try {
    // An entry may have to wait for another process; when it is its turn, nobody may want it any more.
    const there = await cache.fill(key, async () => signal.aborted ? undefined : load({ signal }), ttlMs === undefined ? {} : { ttlMs })
    return there === false ? 'unstored' : 'loaded'
  } catch (error) {
    return error as Error
  }
}
