import { type DropReport, type DropTargets, type Invalidation, randomToken } from '@respite/redis'
import type { Cache } from './cache.ts'
import { checkedKey } from './checked-key.ts'
import { allSettled } from './drop-queue.ts'
import { linkErrorOnly } from './link-errors.ts'
import type { Namespace } from './namespace.ts'
import type { Namespaces } from './namespaces.ts'
import { parsePattern } from './pattern.ts'
import { checkedTags } from './tags.ts'

/** More tags than one call may name are dropped in several. */
const tagsAtOnce = 100
/** How often a key is taken from others who ask for it in the same moment. */
const holdTries = 3

/** The cache's root namespace, as the other plugins see it. */
export function invalidationOf (all: Namespaces): Invalidation {
  const { root } = all
  const space = all.find(root.name)!
  return {
    drop: what => dropped(root, what),
    async fill (key, load, { ttlMs }) {
      await root.getOrSet(key, load, ttlOf(ttlMs))
      // The look leaves a local copy, which a fill alone does not.
      return await root.get(key) !== undefined
    },
    forgetLocal: () => all.forgetLocal(),
    async hold (what, { holdMs }) {
      check(space, what)
      const report = await dropped(root, what)
      await Promise.all((what.keys ?? []).map(key => held(space, space.nameOf(key), holdMs)))
      return report
    },
    read: (key, load, { ttlMs }) => root.getOrSet(key, load, ttlOf(ttlMs)),
    check: what => check(space, what)
  }
}

const ttlOf = (ttlMs: number | undefined) => ttlMs === undefined ? {} : { ttl: ttlMs }

async function dropped (root: Cache, { keys = [], patterns = [], tags = [] }: DropTargets): Promise<DropReport> {
  const tagGroups = Array.from({ length: Math.ceil(tags.length / tagsAtOnce) }, (_, i) => tags.slice(i * tagsAtOnce, (i + 1) * tagsAtOnce))
  return merged(await Promise.all([
    ...(keys.length > 0 ? [root.delete(...keys)] : []),
    ...tagGroups.map(group => root.invalidateTags(...group)),
    ...patterns.map(pattern => root.deletePattern(pattern))
  ]))
}

/**
 * Takes the lease of a key that was just dropped, whoever has taken it since, so that nobody fills it. A dead holder
 * costs the others `holdMs`, as a dead filler costs a lease.
 */
async function held (space: Namespace, key: string, holdMs: number): Promise<void> {
  const lease = { token: randomToken(), leaseMs: holdMs, except: '', waited: '' }
  try {
    for (let tries = 0; tries < holdTries; tries++) {
      const { state, lease: answer } = await space.store.read({ key, tags: [], lease })
      if (state === 'MISS' && answer === 'LEASED') return
      // Another has asked, or already filled, between the drop and now.
      await space.execute({ kind: 'key', name: key })
    }
  } catch (error) {
    // While Redis does not answer, nobody fills through it; what is held narrows a race, and is not what the promise rests on.
    linkErrorOnly(error)
  }
}

function check ({ names }: Namespace, { keys = [], patterns = [], tags = [] }: DropTargets): void {
  if (names !== undefined) {
    for (const key of keys) names.key(key)
    if (patterns.length > 0) names.pattern()
  }
  for (const key of keys) checkedKey(key)
  for (const pattern of patterns) parsePattern(pattern)
  for (const tag of tags) checkedTags([tag])
}

function merged (reports: readonly DropReport[]): DropReport {
  return {
    dropped: reports.reduce((sum, report) => sum + report.dropped, 0),
    queued: reports.reduce((sum, report) => sum + report.queued, 0),
    settled: allSettled(reports.map(report => report.settled))
  }
}
