import type { Seeded } from '@respite/testing'
import type { AlgorithmName, Rule } from '../../src/rule.ts'

const limits = [1, 2, 3, 7, 10, 60, 1_000]
const windowsMs = [1, 7, 14, 15, 250, 1_000, 5_000, 60_000, 3_600_000, 30 * 86_400_000]

/** A few rules that change now and then, as with a new release of an app. */
export class ChangingRules {
  readonly #chance: Seeded
  readonly #algorithms: readonly AlgorithmName[]
  readonly #rules = new Map<string, Rule>()

  constructor (chance: Seeded, algorithms: readonly AlgorithmName[]) {
    this.#chance = chance
    this.#algorithms = algorithms
  }

  any (): Rule {
    const name = `r${this.#chance.below(4)}`
    const known = this.#rules.get(name)
    if (known !== undefined && this.#chance.below(200) > 0) return known
    const made = this.#make(name)
    this.#rules.set(name, made)
    return made
  }

  /** As it is now. */
  now (name: string): Rule {
    return this.#rules.get(name)!
  }

  #make (name: string): Rule {
    const { below } = this.#chance
    const algorithm = this.#algorithms[below(this.#algorithms.length)]!
    const none = algorithm !== 'gcra' && below(20) === 0
    const limit = none ? 0 : limits[below(limits.length)]!
    const capacity = algorithm === 'gcra' ? 1 + below(limit * 2) : limit
    return { name, algorithm, limit, windowMs: windowsMs[below(windowsMs.length)]!, capacity }
  }
}
