import { type Seeded, seeded } from '@respite/testing'
import t, { type Test } from 'tap'
import { excessOf, type Guard, Walk, type World } from './world.ts'

// The lease as it is, in many processes over the store as it is: messages late and lost, replies that come after their lifetime, clocks that run
// apart, permits spent early, late or never, returned or not. RUNS=3000 for a whole proof.
const runs = Number(process.env.RUNS ?? 300)
const adversarial = 30_000

type Kind = 'fixed-window' | 'gcra' | 'gcra strict'

const some = <T>({ below }: Seeded, values: readonly T[]): T => values[below(values.length)]!

function worldOf (chance: Seeded, kind: Kind, without?: Guard): World {
  const { below } = chance
  const limit = 1 + below(60)
  const windowMs = 50 + below(1_950)
  const algorithm = kind === 'fixed-window' ? kind : 'gcra'
  const nodes = 1 + below(16)
  const lifetimeMs = Math.max(5, Math.floor(windowMs * some(chance, [0.01, 0.05, 0.2, 0.5, 1, 1.5])))
  return {
    rule: { name: kind, algorithm, limit, windowMs, capacity: kind === 'fixed-window' ? limit : 1 + below(limit) },
    lifetimeMs,
    strict: kind === 'gcra strict',
    nodes,
    delayUs: Math.floor(lifetimeMs * 1_000 * some(chance, without === undefined ? [0, 0.1, 0.4, 0.9] : [0, 0.4])),
    spending: some(chance, ['early', 'late', 'any']),
    lost: below(20),
    direct: some(chance, [0, 0, 20, 50]),
    gapUs: Math.max(2, Math.floor(2 * windowMs * 1_000 / limit * nodes / (1 + below(6)))),
    returned: some(chance, [0, 33, 90]),
    without
  }
}

function worst (chance: Seeded, kind: Kind, { times, without, enough = Infinity }: { times: number, without?: Guard, enough?: number }) {
  let [excess, spends] = [-Infinity, 0]
  let found: World | undefined
  for (let i = 0; i < times && excess < enough; i++) {
    const world = worldOf(chance, kind, without)
    const seen = new Walk(world, chance).run(8 * world.rule.windowMs * 1_000)
    spends += seen.spends.length
    const own = seen.spends.length === 0 ? -Infinity : excessOf(world, seen)
    if (own > excess) [excess, found] = [own, world]
  }
  return { excess, spends, found }
}

const bounds: Record<Kind, string> = {
  'fixed-window': 'a window never admits more than its limit',
  gcra: 'no stretch of time admits more than the burst, its rate and what fits into one lifetime',
  'gcra strict': 'no stretch of time admits more than the burst and its rate'
}

for (const [kind, bound] of Object.entries(bounds) as [Kind, string][]) {
  t.test(`${kind}: ${bound}`, async (t: Test) => {
    const { excess, spends, found } = worst(seeded(t), kind, { times: runs })
    t.comment(`${spends} units were spent, the most beyond the bound is ${excess}`)
    t.ok(excess <= 0, JSON.stringify(found))
    t.ok(spends > 20 * runs, `${spends} units`)
  })
}

const counterexamples: Record<Guard, Kind> = {
  'a lifetime counts from the sending': 'fixed-window',
  'a lifetime ends with its window': 'fixed-window',
  'what has leaked is not given back': 'gcra strict',
  'a strict lease is charged at its end': 'gcra strict'
}

for (const [guard, kind] of Object.entries(counterexamples) as [Guard, Kind][]) {
  t.test(`without it ${kind} admits too many: ${guard}`, async (t: Test) => {
    const { excess, found } = worst(seeded(t), kind, { times: adversarial, without: guard, enough: 1 })
    t.comment(`${excess} beyond the bound: ${JSON.stringify(found)}`)
    t.ok(excess > 0)
  })
}
