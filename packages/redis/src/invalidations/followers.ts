import type { LocalCopies } from './invalidations.ts'

interface Follower { readonly prefixes: readonly string[], readonly copies: LocalCopies }

/** Who keeps copies of what. */
export class Followers {
  #all: readonly Follower[] = []

  /** The prefixes that are followed, each once; one that another covers is left out, since a server refuses overlaps. */
  get prefixes (): readonly string[] {
    const sorted = [...new Set(this.#all.flatMap(follower => follower.prefixes))].sort()
    const kept: string[] = []
    for (const prefix of sorted) if (kept.length === 0 || !prefix.startsWith(kept.at(-1)!)) kept.push(prefix)
    return kept
  }

  add (prefixes: readonly string[], copies: LocalCopies): () => void {
    const follower = { prefixes: [...prefixes], copies }
    this.#all = [...this.#all, follower]
    return () => { this.#all = this.#all.filter(other => other !== follower) }
  }

  changed (keys: readonly string[]): void {
    for (const { prefixes, copies } of this.#all) {
      const own = keys.filter(key => prefixes.some(prefix => key.startsWith(prefix)))
      if (own.length > 0) copies.changed(own)
    }
  }

  all (): void {
    for (const { copies } of this.#all) copies.all()
  }
}
