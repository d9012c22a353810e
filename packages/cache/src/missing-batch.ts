import { FST_RSP_CACHE_BATCH_INVALID } from './errors.ts'

/** Loads what is missing: values by id, or as many as there are ids, in their order; undefined and absent: there is none. */
export type LoadMissing<Id, T> = (ids: Id[]) => ReadonlyMap<Id, T> | readonly (T | undefined)[] | Promise<ReadonlyMap<Id, T> | readonly (T | undefined)[]>

interface Wanted<Id, T> { readonly id: Id, resolve (value: T | undefined): void, reject (error: unknown): void }

/**
 * What one call wants loaded. Each key is asked for and filled by itself, under its own lease; the loads wait for each other
 * until it is known of every key whether it is loaded here, and run as one.
 */
export class MissingBatch<Id, T> {
  readonly #load: LoadMissing<Id, T>
  #undecided: number
  #wanted: Wanted<Id, T>[] = []
  #scheduled = false

  /** @param undecided - how many keys are asked for */
  constructor (load: LoadMissing<Id, T>, undecided: number) {
    this.#load = load
    this.#undecided = undecided
  }

  /**
   * The value of one id, once an id.
   * @param find - finds or fills its entry, by this factory; and calls the other function where the value comes from elsewhere
   */
  async join (id: Id, find: (factory: () => Promise<T | undefined>, onElsewhere: () => void) => Promise<unknown>): Promise<T | undefined> {
    let open = true
    const decided = () => {
      if (!open) return
      open = false
      this.#undecided--
      this.#schedule()
    }
    const factory = () => {
      const value = this.#loaded(id)
      decided()
      return value
    }
    try {
      return await find(factory, decided) as T | undefined
    } finally {
      // A stale answer comes before the run that refreshes it, which belongs into the batch.
      if (open) setImmediate(decided)
    }
  }

  /** The value of an id, loaded with those of the others. */
  #loaded (id: Id): Promise<T | undefined> {
    return new Promise((resolve, reject) => {
      this.#wanted.push({ id, resolve, reject })
      this.#schedule()
    })
  }

  #schedule (): void {
    if (this.#undecided > 0 || this.#wanted.length === 0 || this.#scheduled) return
    this.#scheduled = true
    queueMicrotask(() => {
      this.#scheduled = false
      const wanted = this.#wanted
      this.#wanted = []
      this.#run(wanted).catch(error => { for (const { reject } of wanted) reject(error) })
    })
  }

  async #run (wanted: readonly Wanted<Id, T>[]): Promise<void> {
    const found = await this.#load(wanted.map(({ id }) => id))
    if (found instanceof Map) {
      for (const { id, resolve } of wanted) resolve(found.get(id))
    } else if (Array.isArray(found) && found.length === wanted.length) {
      for (const [i, { resolve }] of wanted.entries()) resolve(found[i])
    } else throw new FST_RSP_CACHE_BATCH_INVALID(wanted.length, Array.isArray(found) ? `${found.length} values` : typeof found)
  }
}
