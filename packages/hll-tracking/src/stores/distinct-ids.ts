import { Registers } from '../hyperloglog/registers.ts'
import { exactUpTo, type Sketch } from '../sketch.ts'

/** Distinct ids of a bucket: one by one while they are few, then as registers. Twin of what lua/flush.lua and lua/erase.lua keep. */
export class DistinctIds {
  // The keyed ids as latin1; then the registers take over.
  #few: Set<string> | undefined = new Set()
  #registers: Registers | undefined

  get sketch (): Sketch {
    return this.#registers === undefined ? { ids: this.#few! } : { registers: this.#registers }
  }

  /** Counts an id, 8 bytes of it. */
  add (keyed: Buffer): void {
    if (this.#few === undefined) {
      this.#registers!.add(keyed)
      return
    }
    this.#few.add(keyed.toString('latin1'))
    if (this.#few.size <= exactUpTo) return
    this.#registers = new Registers()
    for (const id of this.#few) this.#registers.add(Buffer.from(id, 'latin1'))
    this.#few = undefined
  }

  /** Takes an id out, which registers cannot. False when it is not there, or cannot be told. */
  remove (keyed: Buffer): boolean {
    return this.#few?.delete(keyed.toString('latin1')) ?? false
  }
}
