import { algorithms } from '../../src/algorithms/algorithms.ts'
import { askedOf, type Charge, type Check, type Verdict } from '../../src/stores/store.ts'

interface Known { algorithm: string, state: unknown }

/** Decides by the algorithms alone, forgets nothing, and takes any time, also an earlier one. */
export class EndlessStore {
  readonly #known = new Map<string, Known>()

  take (checks: readonly Check[], nowUs: number): Verdict { return this.#decide(checks, nowUs, true) }
  peek (checks: readonly Check[], nowUs: number): Verdict { return this.#decide(checks, nowUs, false) }

  refund (charge: Charge, nowUs: number): void {
    const { rule } = charge
    const known = this.#known.get(keyOf(charge))
    if (known?.algorithm !== rule.algorithm || rule.capacity === 0) return
    algorithms[rule.algorithm].advance(known.state, rule, nowUs)
    algorithms[rule.algorithm].refund(known.state, rule, nowUs, charge)
  }

  renew (held: Check, nowUs: number): void {
    const { rule, cost, slot } = held
    if (rule.capacity === 0) return
    const { algorithm, state } = this.#read(held, nowUs)
    algorithm.charge(state, rule, nowUs, cost, slot)
    this.#known.set(keyOf(held), { algorithm: rule.algorithm, state })
  }

  #decide (checks: readonly Check[], nowUs: number, charging: boolean): Verdict {
    const read = checks.map(check => this.#read(check, nowUs))
    const waits = read.map(({ state, algorithm }, i) => {
      const { rule, cost } = checks[i]!
      return cost > rule.capacity ? Infinity : algorithm.waitMs(state, rule, nowUs, askedOf(checks[i]!))
    })
    const allowed = waits.every(wait => wait === 0)
    const outcomes = read.map(({ state, algorithm, changed }, i) => {
      const { rule, cost } = checks[i]!
      if (allowed && charging) algorithm.charge(state, rule, nowUs, cost, checks[i]!.slot)
      if (rule.capacity > 0 && (changed || (allowed && charging))) this.#known.set(keyOf(checks[i]!), { algorithm: rule.algorithm, state })
      const [remaining, resetMs] = rule.capacity === 0 ? [0, 0] : [algorithm.remaining(state, rule, nowUs), algorithm.resetMs(state, rule, nowUs)]
      return { remaining, waitMs: waits[i]!, resetMs, atMs: Math.floor(nowUs / 1_000), by: 'store' as const }
    })
    return { allowed, outcomes }
  }

  #read (check: Check, nowUs: number) {
    const { rule } = check
    const algorithm = algorithms[rule.algorithm]
    const known = this.#known.get(keyOf(check))
    // A copy: what is not stored is as if it had never been looked at.
    const state = known?.algorithm === rule.algorithm ? structuredClone(known.state) : algorithm.fresh(rule, nowUs)
    return { algorithm, state, changed: rule.capacity > 0 && algorithm.advance(state, rule, nowUs) }
  }
}

const keyOf = ({ rule, subject }: Check) => `${rule.name} ${subject}`
