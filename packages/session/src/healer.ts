import type { KeeperParts } from './keeper.ts'
import type { PendingRow } from './stores/store.ts'
import { withinDeadline } from './within-deadline.ts'

/** What a healer works with. */
export type HealerParts = Pick<KeeperParts, 'store' | 'redis' | 'flusher' | 'log' | 'options'>

/** Tells Redis what it did not acknowledge: of rows that another process may have left. */
export class Healer {
  readonly #parts: HealerParts

  constructor (parts: HealerParts) {
    this.#parts = parts
  }

  /**
   * A script a user; what Redis cannot be told now stays pending.
   * @throws FST_RSP_SESSION_STORE_DOWN, FST_RSP_SESSION_STORE_TIMEOUT
   */
  async heal (rows: readonly PendingRow[]): Promise<void> {
    const { store, log, options } = this.#parts
    for (const [tag, some] of byTag(rows)) {
      try {
        await this.#tell(tag, some)
      } catch (error) {
        log.debug({ err: error }, 'Redis cannot be told yet of ended sessions')
        return
      }
      const confirmed = store.confirm(some.filter(row => row.dead).map(row => row.hash), some.filter(row => !row.dead))
      await withinDeadline(confirmed, options.durableDeadline, 'confirm')
    }
  }

  async #tell (tag: string, rows: readonly PendingRow[]): Promise<void> {
    const { redis, flusher } = this.#parts
    if (flusher !== undefined) {
      for (const { hash, dead } of rows) if (!dead) await flusher.drop({ tag, hash })
    }
    const rest = flusher === undefined ? rows : rows.filter(row => row.dead)
    if (rest.length > 0) await redis!.copies.kill(tag, rest)
  }
}

function byTag (rows: readonly PendingRow[]): Map<string, PendingRow[]> {
  const groups = new Map<string, PendingRow[]>()
  for (const row of rows) {
    const some = groups.get(row.tag)
    if (some === undefined) groups.set(row.tag, [row])
    else some.push(row)
  }
  return groups
}
