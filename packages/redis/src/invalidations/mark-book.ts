import type { Mark } from './invalidations.ts'

/** What the marks are made under: a mark of another generation, or of one unarmed, keeps nothing. */
export interface Guard {
  readonly armed: boolean
  readonly generation: number
}

/** A question under way, and for which of its keys something was said meanwhile. */
class OpenMark implements Mark {
  readonly #guard: Guard
  readonly #book: MarkBook
  readonly #generation: number
  readonly keys: string[]
  #clean: Set<string>

  constructor (guard: Guard, book: MarkBook, keys: readonly string[]) {
    this.#guard = guard
    this.#book = book
    this.#generation = guard.generation
    this.keys = [...keys]
    this.#clean = new Set(keys)
  }

  mayKeep (key: string): boolean {
    return this.#guard.armed && this.#guard.generation === this.#generation && this.#clean.has(key)
  }

  release (): void {
    this.#clean.clear()
    this.#book.close(this)
  }

  add (keys: readonly string[]): void {
    for (const key of keys) {
      // A key that is marked already, and may be spoiled, stays as it is: an earlier question for it may be under way.
      if (this.keys.includes(key)) continue
      this.keys.push(key)
      this.#clean.add(key)
    }
  }

  spoil (key: string): void {
    this.#clean.delete(key)
  }

  spoilAll (): void {
    this.#clean.clear()
  }
}

/** Keeps nothing, so nothing needs to be known of its keys. */
const unarmed: Mark = Object.freeze({ mayKeep: () => false, release: () => undefined })

/** All questions under way, by their keys. */
export class MarkBook {
  // Maps and Sets, not objects: keys come from users.
  readonly #byKey = new Map<string, Set<OpenMark>>()
  readonly #open = new Set<OpenMark>()

  /** Keys that are marked now. */
  get size (): number {
    return this.#byKey.size
  }

  open (guard: Guard, keys: readonly string[]): Mark {
    if (!guard.armed) return unarmed
    const mark = new OpenMark(guard, this, keys)
    this.#open.add(mark)
    this.#enter(mark, keys)
    return mark
  }

  extend (mark: Mark, keys: readonly string[]): void {
    if (!(mark instanceof OpenMark) || !this.#open.has(mark)) return
    mark.add(keys)
    this.#enter(mark, keys)
  }

  spoil (keys: readonly string[]): void {
    if (this.#byKey.size === 0) return
    for (const key of keys) {
      const marks = this.#byKey.get(key)
      if (marks !== undefined) for (const mark of marks) mark.spoil(key)
    }
  }

  spoilAll (): void {
    for (const mark of this.#open) mark.spoilAll()
  }

  close (mark: OpenMark): void {
    if (!this.#open.delete(mark)) return
    for (const key of mark.keys) {
      const marks = this.#byKey.get(key)
      if (marks?.delete(mark) === true && marks.size === 0) this.#byKey.delete(key)
    }
  }

  #enter (mark: OpenMark, keys: readonly string[]): void {
    for (const key of keys) {
      const marks = this.#byKey.get(key)
      if (marks === undefined) this.#byKey.set(key, new Set([mark]))
      else marks.add(mark)
    }
  }
}
