import type { Invalidations, LocalCopies, Mark } from './invalidations.ts'
import { Followers } from './followers.ts'
import { MarkBook } from './mark-book.ts'

/**
 * What every means of invalidation shares: copies, marks, the generation and who holds copies back. Copies may be used
 * while the word of others is sure to reach us (`confirm` … `lose`) and nobody holds them back.
 */
export abstract class GuardedInvalidations implements Invalidations {
  abstract readonly means: Invalidations['means']
  protected readonly followers = new Followers()
  readonly #marks = new MarkBook()
  readonly #holders = new Set<string>()
  #confirmed = false
  #armed = false
  #generation = 0

  get armed (): boolean {
    return this.#armed
  }

  get generation (): number {
    return this.#generation
  }

  follow (prefixes: readonly string[], copies: LocalCopies): () => void {
    return this.followers.add(prefixes, copies)
  }

  mark (keys: readonly string[]): Mark {
    return this.#marks.open(this, keys)
  }

  extend (mark: Mark, keys: readonly string[]): void {
    this.#marks.extend(mark, keys)
  }

  changedHere (keys: readonly string[]): void {
    this.changed(keys)
  }

  changedAllHere (): void {
    this.changedAll()
  }

  hold (name: string, held: boolean): void {
    if (held) this.#holders.add(name)
    else this.#holders.delete(name)
    this.#settle()
  }

  /** From now on the word of others reaches us. */
  protected confirm (): void {
    this.#confirmed = true
    this.#settle()
  }

  /** It may not have reached us: whatever was kept is dropped. */
  protected lose (): void {
    this.#confirmed = false
    this.#settle()
  }

  protected changed (keys: readonly string[]): void {
    this.#marks.spoil(keys)
    this.followers.changed(keys)
  }

  protected changedAll (): void {
    this.#marks.spoilAll()
    this.followers.all()
  }

  #settle (): void {
    const armed = this.#confirmed && this.#holders.size === 0
    if (armed === this.#armed) return
    this.#armed = armed
    this.#generation++
    // Also when arming is confirmed: nothing from before may be there.
    this.changedAll()
  }
}
