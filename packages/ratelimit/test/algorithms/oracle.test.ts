import { type Seeded, seeded } from '@respite/testing'
import t, { type Test } from 'tap'
import type { Rule } from '../../src/rule.ts'
import { algorithmNames, rule, type WindowAlgorithm } from '../rules.ts'
import { Admissions } from './admissions.ts'
import { type Oracle, oracles } from './oracles.ts'
import { Simulated } from './simulated.ts'

const rounds = 60
const perRound = 400

function someRule ({ below }: Seeded, algorithm: WindowAlgorithm): Rule {
  const limit = [1, 2, 3, 7, 10, 60, 250][below(7)]!
  const windowMs = [1, 15, 16, 250, 1_000, 60_000, 3_600_000, 30 * 86_400_000][below(8)]!
  return rule(algorithm, limit, { windowMs, capacity: algorithm === 'gcra' ? 1 + below(2 * limit) : limit })
}

/** Bursts, a steady flow, pauses, and the very edges of the window. */
function stepUs ({ below }: Seeded, { limit, windowMs }: Rule, toldMs: number): number {
  const windowUs = windowMs * 1_000
  switch (below(16)) {
    case 0: return below(windowUs)
    case 1: return windowUs
    case 2: return Math.max(0, windowUs - 1_000)
    case 3: return windowUs - 1
    case 4: return toldMs * 1_000
    case 5: return Math.max(0, toldMs - 1) * 1_000
    case 6: return below(30) === 0 ? 40 * windowUs : 0
    case 7: case 8: return below(Math.ceil(2 * windowUs / limit))
    case 9: case 10: return below(Math.ceil(windowUs / 10))
    case 11: return below(1_000)
    default: return 0
  }
}

const someCost = ({ below }: Seeded, { capacity }: Rule) => below(3) > 0 ? 1 : 1 + below(below(4) === 0 ? capacity + 1 : Math.ceil(capacity / 4))

/** Faults are gathered, not asserted one by one: there are a hundred thousand steps. */
class Faults {
  readonly found: string[] = []
  readonly #of: Simulated
  readonly #oracle: Oracle

  constructor (of: Simulated, oracle: Oracle) {
    this.#of = of
    this.#oracle = oracle
  }

  note (what: string, holds: boolean): void {
    if (!holds) this.found.push(`${what} at ${this.#of.nowUs} of ${JSON.stringify(this.#of.rule)}`)
  }

  /** What is said of `cost` must be true now, and when it says so. */
  compare (cost: number): void {
    const { rule: { capacity }, nowUs } = this.#of
    const { allowed, waitMs, remaining, resetMs } = this.#of.peek(cost)
    const { may, must } = this.#oracle
    const fits = cost <= capacity
    this.note(`admits ${cost}`, !allowed || may(nowUs, cost))
    this.note(`refuses ${cost}`, allowed || !fits || !must(nowUs, cost))
    this.note(`waits ${waitMs} for ${cost}`, fits ? allowed === (waitMs === 0) && waitMs < Infinity : waitMs === Infinity)
    this.note(`says that ${remaining} remain`, remaining <= capacity && (remaining === 0 || may(nowUs, remaining)) && (remaining === capacity || !must(nowUs, remaining + 1)))
    if (!allowed && fits) {
      this.note(`lets ${cost} wait ${waitMs} ms, too short`, may(nowUs + waitMs * 1_000, cost))
      this.note(`lets ${cost} wait ${waitMs} ms, too long`, !must(nowUs + (waitMs - 1) * 1_000, cost))
    }
    this.note(`is reset in ${resetMs} ms, too early`, may(nowUs + resetMs * 1_000, capacity))
    this.note(`is reset in ${resetMs} ms, too late`, resetMs === 0 || !must(nowUs + (resetMs - 1) * 1_000, capacity))
  }
}

/** One rule under random traffic. @returns the faults, and how many were admitted and refused */
async function play (chance: Seeded, rule: Rule, { refunding }: { refunding: boolean }) {
  const simulated = new Simulated(rule)
  const all = new Admissions()
  const oracle = oracles[rule.algorithm as WindowAlgorithm](rule, simulated.admissions, all)
  const faults = new Faults(simulated, oracle)
  const seen = { admitted: 0, refused: 0 }
  let told = { waitMs: 0, cost: 1 }
  for (let i = 0; i < perRound; i++) {
    const patient = told.waitMs > 0 && chance.below(8) === 0
    simulated.pass(patient ? told.waitMs * 1_000 : stepUs(chance, rule, told.waitMs))
    if (refunding && simulated.admissions.size > 0 && chance.below(5) === 0) {
      const index = Math.max(0, simulated.admissions.size - 1 - chance.below(20))
      oracle.refunded(simulated.admissions.at(index))
      await simulated.refund(index)
    }
    const cost = patient && !refunding ? told.cost : someCost(chance, rule)
    faults.compare(cost)
    const { allowed, waitMs } = simulated.take(cost)
    if (patient && !refunding) faults.note(`refuses ${cost} who waited as told`, allowed)
    seen[allowed ? 'admitted' : 'refused']++
    if (allowed) {
      const admission = { atUs: simulated.nowUs, cost }
      oracle.admitted(admission)
      all.add(admission)
    }
    told = { waitMs: waitMs === Infinity ? 0 : waitMs, cost }
  }
  const most = simulated.admissions.mostWithin(rule.windowMs)
  faults.note(`admitted ${most} in a window`, most <= mostOf(rule, refunding))
  return { faults: faults.found, ...seen }
}

/** Units in any (x − W, x] at most. A fixed window whose first unit is taken back may be full of others at its end alone. */
function mostOf ({ algorithm, limit, capacity, windowMs }: Rule, refunding: boolean): number {
  if (algorithm === 'fixed-window') return refunding ? 2 * limit : 2 * limit - 1
  if (algorithm !== 'gcra') return limit
  return capacity + Math.floor(windowMs * 1_000 / Math.ceil(windowMs * 1_000 / limit))
}

async function playAll (t: Test, algorithm: WindowAlgorithm, options: { refunding: boolean }): Promise<void> {
  const chance = seeded(t)
  const seen = { admitted: 0, refused: 0 }
  for (let round = 0; round < rounds; round++) {
    const { faults, admitted, refused } = await play(chance, someRule(chance, algorithm), options)
    seen.admitted += admitted
    seen.refused += refused
    if (faults.length > 0) {
      t.same(faults.slice(0, 3), [], `round ${round}`)
      return
    }
  }
  t.ok(seen.admitted > 1_000 && seen.refused > 1_000, JSON.stringify(seen))
}

const promises: Record<WindowAlgorithm, string> = {
  'fixed-window': 'admits exactly what fits in its windows, and at most 2L − 1 in any stretch of W',
  'sliding-log': 'admits exactly what leaves no more than L in any stretch of W',
  'sliding-counter': 'admits no more than L in any stretch of W, and all that leaves no more than L in 16/15 of it',
  gcra: 'admits exactly what leaves no more than b + ⌊D/T⌋ in any stretch D'
}

for (const algorithm of algorithmNames) {
  t.test(`${algorithm}: ${promises[algorithm]}`, t => playAll(t, algorithm, { refunding: false }))
  t.test(`${algorithm}: also where charges are taken back, and those alone do not count`, t => playAll(t, algorithm, { refunding: true }))
}
