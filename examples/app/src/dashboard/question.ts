import { withDeadline } from '../deadline.ts'

/** Something that is asked again and again, and may take longer than one cares to wait. */
export class Question<T> {
  readonly #ask: () => Promise<T>
  readonly #deadlineMs: number
  #underWay = false

  constructor (ask: () => Promise<T>, deadlineMs: number) {
    this.#ask = ask
    this.#deadlineMs = deadlineMs
  }

  /** @returns null where it failed, took too long, or is still being asked; it never rejects */
  async answer (): Promise<T | null> {
    if (this.#underWay) return null
    this.#underWay = true
    // What fails is shown as unknown; /health and the log tell why.
    return await withDeadline(this.#settled().catch(() => null), this.#deadlineMs, null)
  }

  async #settled (): Promise<T> {
    try {
      return await this.#ask()
    } finally {
      this.#underWay = false
    }
  }
}
