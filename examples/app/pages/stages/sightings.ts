/** A copy of the entry, as one server showed it. */
export interface Copy {
  readonly instance: string
  readonly from: 'l1' | 'l2' | 'database'
  readonly ageMs: number
  readonly content: string
}

/** What was last seen of one server's copy. */
export interface Sighting extends Copy {
  /** When it was first seen with the content that is wanted; undefined while it is an older one. */
  readonly currentAtMs: number | undefined
}

/** Who has shown which copy, and when every server that is known showed the wanted one. */
export class Sightings {
  readonly #byInstance = new Map<string, Sighting>()
  readonly #heard = new Set<string>()
  #wanted = ''

  /** From now on this content is waited for. */
  want (content: string): void {
    this.#wanted = content
    this.#heard.clear()
    for (const [instance, sighting] of this.#byInstance) this.#byInstance.set(instance, { ...sighting, currentAtMs: undefined })
  }

  saw (copy: Copy, atMs: number): void {
    const before = this.#byInstance.get(copy.instance)
    const currentAtMs = copy.content === this.#wanted ? before?.currentAtMs ?? atMs : undefined
    this.#heard.add(copy.instance)
    this.#byInstance.set(copy.instance, { ...copy, currentAtMs })
  }

  /** Drops the servers that were not heard of since the last `want`; their names. */
  forgetSilent (): string[] {
    const silent = [...this.#byInstance.keys()].filter(instance => !this.#heard.has(instance))
    for (const instance of silent) this.#byInstance.delete(instance)
    return silent
  }

  /** In the order in which they were first seen. */
  all (): Sighting[] {
    return [...this.#byInstance.values()]
  }

  /** When the last of the known servers showed it; undefined while one has not. */
  everyoneAtMs (): number | undefined {
    const all = this.all().map(({ currentAtMs }) => currentAtMs)
    return all.length > 0 && all.every(atMs => atMs !== undefined) ? Math.max(...all as number[]) : undefined
  }
}
