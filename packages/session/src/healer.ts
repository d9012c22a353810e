import type { FastifyBaseLogger } from 'fastify'
import type { Copies } from './copies.ts'
import type { Flusher } from './flusher.ts'
import type { PendingRow, SessionStore } from './stores/store.ts'
import { withinDeadline } from './within-deadline.ts'

/** What healing works with. */
export interface HealerParts {
  readonly store: Pick<SessionStore, 'confirm'>
  readonly copies: Pick<Copies, 'kill'>
  /** With `data` other than through. */
  readonly flusher: Pick<Flusher, 'drop'> | undefined
  readonly log: FastifyBaseLogger
  readonly deadlineMs: number
}

// Where so many users' keys are refused, it is not the keys.
const maxRefusedUsers = 100

/** Tells Redis what it did not acknowledge: for rows that another process may have left. */
export async function heal ({ store, log, deadlineMs, ...parts }: HealerParts, rows: readonly PendingRow[]): Promise<void> {
  let refused = 0
  for (const [tag, some] of rowsByTag(rows)) {
    try {
      await tell(parts, tag, some)
    } catch (error) {
      log.debug({ err: error }, 'Redis cannot be told yet of ended sessions')
      // What lies under one user's keys, or one session that is saved all the time, must not keep the others waiting.
      if (isOfOneUser(error as RefusedLike) && ++refused < maxRefusedUsers) continue
      return
    }
    await withinDeadline(store.confirm(some.filter(row => row.dead).map(row => row.hash), some.filter(row => !row.dead)), deadlineMs, 'confirm')
  }
}

interface RefusedLike { readonly code?: string, readonly outcome?: string }

function isOfOneUser ({ code, outcome }: RefusedLike): boolean {
  return outcome === 'refused' || code === 'FST_RSP_SESSION_COPY_BUSY'
}

async function tell ({ copies, flusher }: Pick<HealerParts, 'copies' | 'flusher'>, tag: string, rows: readonly PendingRow[]): Promise<void> {
  if (flusher !== undefined) {
    for (const { hash, dead } of rows) if (!dead) await flusher.drop({ tag, hash })
  }
  const rest = flusher === undefined ? rows : rows.filter(row => row.dead)
  if (rest.length > 0) await copies.kill(tag, rest)
}

/** The rows of each user: one script a user, since its keys are of one slot. */
function rowsByTag (rows: readonly PendingRow[]): Map<string, PendingRow[]> {
  const groups = new Map<string, PendingRow[]>()
  for (const row of rows) {
    const some = groups.get(row.tag)
    if (some === undefined) groups.set(row.tag, [row])
    else some.push(row)
  }
  return groups
}
