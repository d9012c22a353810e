/** What was admitted at once. */
export interface Admission { readonly atUs: number, readonly cost: number }

/** Whole milliseconds, as every limit but gcra reckons. */
export const msOf = (us: number) => Math.floor(us / 1_000)

/** Everything that one limit ever admitted of one subject: the truth that its few bytes must agree with. */
export class Admissions {
  readonly #all: Admission[] = []

  get size (): number { return this.#all.length }

  add (admission: Admission): void {
    this.#all.push(admission)
  }

  at (index: number): Admission {
    return this.#all[index]!
  }

  /** One of them is as if it had never been. */
  remove (index: number): Admission {
    return this.#all.splice(index, 1)[0]!
  }

  /** Units admitted after one time and until another, by the whole milliseconds of the clock. */
  between (afterMs: number, untilMs: number): number {
    let units = 0
    for (const { atUs, cost } of this.#all) if (msOf(atUs) > afterMs && msOf(atUs) <= untilMs) units += cost
    return units
  }

  /** The most units in any (x − W, x]. */
  mostWithin (windowMs: number): number {
    let [most, units, first] = [0, 0, 0]
    for (const { atUs, cost } of this.#all) {
      units += cost
      while (msOf(this.#all[first]!.atUs) <= msOf(atUs) - windowMs) units -= this.#all[first++]!.cost
      most = Math.max(most, units)
    }
    return most
  }

  /** Whether each stretch D that ends now, with `cost` more, has at most b + ⌊D/T⌋ units. */
  conforms (nowUs: number, cost: number, { burst, intervalUs }: { burst: number, intervalUs: number }): boolean {
    let units = cost
    if (units > burst) return false
    for (let i = this.#all.length - 1; i >= 0; i--) {
      units += this.#all[i]!.cost
      if (units > burst + Math.floor((nowUs - this.#all[i]!.atUs) / intervalUs)) return false
    }
    return true
  }
}
