import { seeded } from '@respite/testing'
import t from 'tap'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Check, Outcome } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { check, rule } from '../rules.ts'

const rounds = 60
const perRound = 400

/** Every admission that was not given back yet, and when it was told of last: the truth. */
class InFlight {
  readonly #all: { readonly held: Check, toldMs: number }[] = []
  readonly #windowMs: number

  constructor (windowMs: number) {
    this.#windowMs = windowMs
  }

  get size (): number { return this.#all.length }

  units (nowMs: number): number {
    return this.#all.reduce((sum, { held, toldMs }) => toldMs + this.#windowMs > nowMs ? sum + held.cost : sum, 0)
  }

  add (held: Check, nowMs: number): void {
    this.#all.push({ held, toldMs: nowMs })
  }

  /** Whether it has ended or not: its holder lives. */
  renew (index: number, nowMs: number): Check {
    this.#all[index]!.toldMs = nowMs
    return this.#all[index]!.held
  }

  remove (index: number): Check {
    return this.#all.splice(index, 1)[0]!.held
  }
}

t.test('concurrency: admits exactly what leaves no more than L in flight, of those who were told of within the expiry', async t => {
  const chance = seeded(t)
  const { below } = chance
  const seen = { admitted: 0, refused: 0, ended: 0 }
  for (let round = 0; round < rounds; round++) {
    const limit = [1, 2, 3, 7, 60, 250][below(6)]!
    const windowMs = [100, 1_000, 30_000, 86_400_000][below(4)]!
    const of = rule('concurrency', limit, { windowMs })
    const clock = fakeClock()
    const store = new MemoryStore({ clock, maxKeys: 1_000 })
    const truth = new InFlight(windowMs)
    const faults: string[] = []
    for (let i = 0; i < perRound; i++) {
      const before = truth.units(clock.nowMs)
      clock.nowMs += [0, 0, 0, below(10), below(Math.ceil(windowMs / 20)), below(windowMs), windowMs - 1, windowMs][below(40) > 0 ? below(5) : below(8)]!
      if (truth.units(clock.nowMs) < before) seen.ended++
      const any = () => below(truth.size)
      if (truth.size > 0 && below(4) === 0) await store.renew([truth.renew(any(), clock.nowMs)])
      if (truth.size > 0 && below(3) === 0) await store.refund([{ ...truth.remove(any()), atMs: 0 }])
      const asked: Check = { ...check(of, 'somebody', 1 + below(below(3) > 0 ? 1 : Math.ceil(limit / 3))), slot: i }
      const room = limit - truth.units(clock.nowMs)
      let answer!: Outcome & { allowed: boolean }
      store.take([asked], (_, verdict) => { answer = { allowed: verdict!.allowed, ...verdict!.outcomes[0]! } })
      const admits = asked.cost <= room
      if (admits) truth.add(asked, clock.nowMs)
      const remaining = Math.max(0, admits ? room - asked.cost : room)
      if (answer.allowed !== admits || answer.remaining !== remaining || (answer.waitMs === 0) !== admits) faults.push(`${JSON.stringify(answer)} of ${room} for ${asked.cost} at ${i}`)
      seen[admits ? 'admitted' : 'refused']++
    }
    if (faults.length > 0) return t.same(faults.slice(0, 3), [], `round ${round} of ${limit} within ${windowMs}`)
  }
  t.ok(seen.admitted > 1_000 && seen.refused > 1_000 && seen.ended > 200, JSON.stringify(seen))
})
