import { maxErasures, rememberedMs } from './store.ts'

/** Ids that were erased, and when: batches of that time and before leave them out. Twin of the zset of lua/erase.lua. */
export class Erasures {
  // The oldest first.
  readonly #atMs = new Map<string, number>()

  /** @param keyed - 8 bytes of the id */
  note (keyed: Buffer, nowMs: number): void {
    const id = keyed.toString('latin1')
    this.#atMs.delete(id)
    this.#atMs.set(id, nowMs)
    for (const [oldest, atMs] of this.#atMs) {
      if (this.#atMs.size <= maxErasures && nowMs - atMs < rememberedMs) return
      this.#atMs.delete(oldest)
    }
  }

  /** Whether what was seen of an id in a minute is to be left out. */
  holds (keyed: Buffer, minuteMs: number): boolean {
    const atMs = this.#atMs.size === 0 ? undefined : this.#atMs.get(keyed.toString('latin1'))
    return atMs !== undefined && atMs >= minuteMs
  }
}
