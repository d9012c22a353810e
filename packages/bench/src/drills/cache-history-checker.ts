/**
 * A read and what version of its row it gave: out of a local copy, through Redis, or, in a process that Redis did not answer, from a
 * factory that callers of that process share. Times in ms of one clock of the machine.
 */
export interface HistoryRead { process: number, key: number, beganAt: number, version: number, how: 'local' | 'redis' | 'withoutRedis' }

/** An invalidation that resolved, after its row had been committed as `version`. */
export interface HistoryEnding { process: number, key: number, version: number, calledAt: number, resolvedAt: number }

/** When a process was disturbed on purpose: its word on how soon a push arrives says nothing of the rest. */
export interface Disturbance { process: number | 'all', from: number, to: number }

export interface History {
  reads: readonly HistoryRead[]
  endings: readonly HistoryEnding[]
  disturbances: readonly Disturbance[]
  /** What bounds a local copy whatever gets lost. */
  localMaxAgeMs: number
}

/** Reads that broke the promise, in sentences. */
export function brokenReads ({ reads, endings, localMaxAgeMs }: History): string[] {
  const everywhere = floorsOf(endings, ({ key }) => String(key))
  const own = floorsOf(endings, ({ key, process }) => `${key} ${process}`)
  const broken: string[] = []
  for (const { process, key, beganAt, version, how } of reads) {
    const say = (promise: string, least: number) => {
      if (version < least) broken.push(`${promise}: process ${process} read v${version} of k:${key} at ${beganAt.toFixed(3)}, v${least} had been invalidated before`)
    }
    if (how === 'redis') say('(A)', everywhere(String(key), beganAt))
    else {
      say('(B) own', own(`${key} ${process}`, beganAt))
      if (how === 'local') say('(B) too old', everywhere(String(key), beganAt - localMaxAgeMs))
    }
  }
  return broken
}

/** Reads of processes without Redis that joined a factory begun before another process invalidated: nobody could tell them. */
export function unknowingReads ({ reads, endings }: History): number {
  const everywhere = floorsOf(endings, ({ key }) => String(key))
  return reads.filter(({ how, key, beganAt, version }) => how === 'withoutRedis' && version < everywhere(String(key), beganAt)).length
}

/** @returns the newest version of something whose invalidation had resolved before a moment */
function floorsOf (endings: readonly HistoryEnding[], idOf: (ending: HistoryEnding) => string): (id: string, before: number) => number {
  const floors = new Map<string, { at: number, version: number }[]>()
  for (const ending of [...endings].sort((a, b) => a.resolvedAt - b.resolvedAt)) {
    const id = idOf(ending)
    const steps = floors.get(id) ?? []
    floors.set(id, steps)
    steps.push({ at: ending.resolvedAt, version: Math.max(ending.version, steps.at(-1)?.version ?? 0) })
  }
  return (id, before) => {
    const steps = floors.get(id) ?? []
    return steps[firstNotBefore(steps, before) - 1]?.version ?? 0
  }
}

/** A copy that was seen this shortly before an invalidation was there when it was called. */
const justBeforeMs = 5

/** From the call of an invalidation to the last read of an older local copy in another process, in ms; of those invalidations that met a copy. */
export interface Staleness { undisturbed: number[], disturbed: number[] }

export function stalenessOf ({ reads, endings, disturbances, localMaxAgeMs }: History): Staleness {
  const copies = new Map<number, (HistoryRead & { at: number })[]>()
  for (const read of reads) {
    if (read.how !== 'local') continue
    const of = copies.get(read.key) ?? []
    copies.set(read.key, of)
    of.push({ ...read, at: read.beganAt })
  }
  for (const of of copies.values()) of.sort((a, b) => a.at - b.at)
  const staleness: Staleness = { undisturbed: [], disturbed: [] }
  for (const ending of endings) {
    const of = copies.get(ending.key) ?? []
    const last = { undisturbed: -1, disturbed: -1 }
    for (let i = firstNotBefore(of, ending.calledAt - justBeforeMs); i < of.length && of[i]!.at < ending.resolvedAt + 2 * localMaxAgeMs; i++) {
      const { process, version, at } = of[i]!
      if (process === ending.process || version >= ending.version) continue
      const disturbed = disturbances.some(({ process: who, from, to }) => (who === 'all' || who === process || who === ending.process) && from <= at && to >= ending.calledAt)
      last[disturbed ? 'disturbed' : 'undisturbed'] = Math.max(0, at - ending.calledAt)
    }
    if (last.undisturbed >= 0) staleness.undisturbed.push(last.undisturbed)
    if (last.disturbed >= 0) staleness.disturbed.push(last.disturbed)
  }
  return staleness
}

/** Index of the first that is not before a moment. */
function firstNotBefore (sorted: readonly { at: number }[], moment: number): number {
  let [low, high] = [0, sorted.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (sorted[middle]!.at < moment) low = middle + 1
    else high = middle
  }
  return low
}

/** @param share - such as 0.99; 0 of nothing */
export function percentile (values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? 0
}
