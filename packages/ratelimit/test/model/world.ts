import type { Seeded } from '@respite/testing'
import { intervalUs } from '../../src/algorithms/gcra.ts'
import { Lease } from '../../src/leases/lease.ts'
import type { Moment } from '../../src/leases/moment.ts'
import type { Rule } from '../../src/rule.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Check, Outcome, Verdict } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'

/** What keeps the sum of all processes within the bound; a walk can go without one. */
export type Guard = 'a lifetime counts from the sending' | 'a lifetime ends with its window' | 'what has leaked is not given back' | 'a strict lease is charged at its end'

/** One random world. Times are whole µs of the server. */
export interface World {
  readonly rule: Rule
  readonly lifetimeMs: number
  readonly strict: boolean
  readonly nodes: number
  /** Of a message, at most. */
  readonly delayUs: number
  /** When permits are spent: at once, in the last moment, or anywhere. */
  readonly spending: 'early' | 'late' | 'any'
  readonly lost: number
  readonly direct: number
  readonly gapUs: number
  /** Of a hundred leases so many are not spent whole. */
  readonly returned: number
  readonly without: Guard | undefined
}

/** What was admitted: when, by the server's time, in order; and where its windows began, ms. */
export interface Seen { readonly spends: number[], readonly windows: number[] }

const driftMs = (lifetimeMs: number) => lifetimeMs / 1_000 + 1

/** Many processes, each with the lease as it is, over the store as it is; everything between them is late, early or lost. */
export class Walk {
  readonly #world: World
  readonly #chance: Seeded
  readonly #clock = fakeClock(0)
  readonly #store = new MemoryStore({ clock: this.#clock, maxKeys: 1_000 })
  readonly #events: { atUs: number, order: number, run: () => void }[] = []
  readonly #spends: number[] = []
  readonly #windows = new Set<number>()
  #nowUs = 0
  #order = 0

  constructor (world: World, chance: Seeded) {
    this.#world = world
    this.#chance = chance
  }

  run (untilUs: number): Seen {
    for (let i = 0; i < this.#world.nodes; i++) this.#begin(untilUs)
    for (let event = this.#next(); event !== undefined; event = this.#next()) {
      this.#nowUs = event.atUs
      // In the middle of its µs: a quotient may lie just below.
      this.#clock.nowMs = (event.atUs + 0.5) / 1_000
      event.run()
    }
    return { spends: this.#spends.sort((a, b) => a - b), windows: [...this.#windows].sort((a, b) => a - b) }
  }

  #next () {
    let first = 0
    for (let i = 1; i < this.#events.length; i++) {
      const [one, other] = [this.#events[i]!, this.#events[first]!]
      if (one.atUs < other.atUs || (one.atUs === other.atUs && one.order < other.order)) first = i
    }
    return this.#events.splice(first, 1)[0]
  }

  #at (atUs: number, run: () => void): void {
    this.#events.push({ atUs: Math.max(this.#nowUs, Math.floor(atUs)), order: this.#order++, run })
  }

  #delay (): number {
    return this.#chance.below(this.#world.delayUs + 1)
  }

  // Its clock began whenever, and runs a little fast or slow.
  #begin (untilUs: number): void {
    const { rule, lifetimeMs, strict } = this.#world
    const [offsetMs, rate] = [this.#chance.below(1e9), 1 + (this.#chance.below(1_800) - 900) / 1e6]
    const moment = (): Moment => {
      const ms = offsetMs + this.#nowUs / 1_000 * rate
      return { monotonicMs: ms, wallMs: ms }
    }
    const lease = new Lease({ lifetimeMs, strict }, { rule, subject: 's' }, moment().monotonicMs)
    const again = () => {
      const next = this.#nowUs + 1 + this.#chance.below(this.#world.gapUs)
      if (next < untilUs) this.#at(next, ask)
    }
    const ask = () => {
      if (lease.isAsked) return again()
      this.#ask(lease, moment)
      again()
    }
    this.#at(this.#chance.below(this.#world.gapUs), ask)
  }

  #ask (lease: Lease, moment: () => Moment): void {
    const { rule, lifetimeMs, strict, without, lost, direct } = this.#world
    const sent = moment()
    const check: Check = { rule, subject: 's', cost: 1 }
    if (this.#chance.below(100) < direct) {
      this.#at(this.#nowUs + this.#delay(), () => this.#admitted(this.#take(check), this.#nowUs))
      return
    }
    const given = lease.ask(1)
    const back = given && { ...given, atMs: this.#returnedAt(given.atMs) }
    const strictMs = strict && without !== 'a strict lease is charged at its end' ? lifetimeMs : 0
    const batch = { want: 1 + this.#chance.below(rule.limit), nodes: 1 + this.#chance.below(3), strictMs, back }
    this.#at(this.#nowUs + this.#delay(), () => {
      const verdict = this.#take({ ...check, batch })
      const servedUs = this.#nowUs
      const isLost = this.#chance.below(100) < lost
      this.#at(servedUs + this.#delay(), () => {
        lease.answered()
        const [outcome] = verdict.outcomes
        if (!verdict.allowed || outcome!.granted === 1) this.#admitted(verdict, servedUs)
        else if (!isLost) this.#hold(lease, check, outcome!, { sent, moment })
      })
    })
  }

  #returnedAt (atMs: number): number {
    return this.#world.without === 'what has leaked is not given back' ? Infinity : atMs
  }

  #take (check: Check): Verdict {
    let verdict!: Verdict
    this.#store.take([check], (_, own) => { verdict = own! })
    const [{ atMs, resetMs }] = verdict.outcomes as [Outcome]
    if (verdict.allowed) this.#windows.add(atMs + resetMs - check.rule.windowMs)
    return verdict
  }

  // Of an admission without a lease it is the server's decision that counts.
  #admitted ({ allowed }: Verdict, atUs: number): void {
    if (allowed) this.#spends.push(atUs)
  }

  #hold (lease: Lease, check: Check, told: Outcome, { sent, moment }: { sent: Moment, moment: () => Moment }): void {
    const { lifetimeMs, without, spending, rule } = this.#world
    const now = moment()
    const from = without === 'a lifetime counts from the sending' ? now : sent
    const outcome = without === 'a lifetime ends with its window' ? { ...told, resetMs: Infinity } : told
    if (lease.hold(check, outcome, { sent: from, now }) === undefined) return
    this.#spends.push(this.#nowUs)
    const lifetime = rule.algorithm === 'fixed-window' ? Math.min(lifetimeMs, outcome.resetMs) : lifetimeMs
    const leftUs = Math.floor((from.monotonicMs + lifetime - driftMs(lifetimeMs) - now.monotonicMs) * 1_000) - 2
    const used = this.#chance.below(100) < this.#world.returned ? this.#chance.below(outcome.granted!) : outcome.granted! - 1
    for (let i = 0; i < used; i++) {
      const afterUs = spending === 'early' ? 0 : spending === 'late' ? leftUs : this.#chance.below(leftUs + 1)
      this.#at(this.#nowUs + Math.max(0, afterUs), () => {
        const then = moment()
        if (!lease.has(1, then)) return
        lease.spend(1, then)
        this.#spends.push(this.#nowUs)
      })
    }
  }
}

/** Units admitted beyond what the limit says for any stretch of time, or for its windows. */
export function excessOf ({ rule, lifetimeMs, strict }: World, { spends, windows }: Seen): number {
  if (rule.algorithm === 'fixed-window') return excessOfWindows(rule, { spends, windows })
  const interval = intervalUs(rule)
  const allowance = rule.capacity + (strict ? 0 : Math.ceil(lifetimeMs * 1_000 / interval))
  let most = -Infinity
  for (let j = 0; j < spends.length; j++) {
    for (let i = Math.max(0, j - 400); i <= j; i++) most = Math.max(most, j - i + 1 - Math.floor((spends[j]! - spends[i]!) / interval))
  }
  return most - allowance
}

function excessOfWindows ({ limit, windowMs }: Rule, { spends, windows }: Seen): number {
  const counts = new Map<number, number>()
  for (const atUs of spends) {
    const start = windows.findLast(start => start * 1_000 <= atUs)
    if (start === undefined || atUs >= (start + windowMs) * 1_000) return Infinity
    counts.set(start, (counts.get(start) ?? 0) + 1)
  }
  return Math.max(-limit, ...counts.values()) - limit
}
