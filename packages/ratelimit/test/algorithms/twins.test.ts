import { type Seeded, seeded, startRedis } from '@respite/testing'
import { Redis } from 'ioredis'
import t, { type Test } from 'tap'
import type { AlgorithmName } from '../../src/rule.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import type { Charge, Check, Verdict } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { algorithmNames, chargesOf } from '../rules.ts'
import { ChangingRules } from './changing-rules.ts'
import { EndlessStore } from './endless-store.ts'
import { type Operation, runScript } from './script-in-simulated-time.ts'

const all = [...algorithmNames, 'concurrency'] as const
// OPERATIONS=1000000 for a whole proof; it takes a minute or two.
const operations = Number(process.env.OPERATIONS ?? 110_000)
const perBatch = 500
const batches = Math.ceil(operations / (2 * all.length + 1) / perBatch)

const server = await startRedis()
const redis = new Redis(server.port)
t.teardown(async () => {
  redis.disconnect()
  await server.stop()
})

/** The TypeScript side. */
interface Twin {
  decide (mode: 'take' | 'peek', checks: readonly Check[], nowUs: number): Verdict
  refund (charge: Charge, nowUs: number): void
  renew (held: Check, nowUs: number): void
}

/** The store as it is: its time runs forward, and what has ended is forgotten. */
function forward (): Twin {
  const clock = fakeClock(0)
  const store = new MemoryStore({ clock, maxKeys: 10_000 })
  return {
    decide (mode, checks, nowUs) {
      clock.nowMs = nowUs / 1_000
      let verdict!: Verdict
      store[mode](checks, (_, own) => { verdict = own! })
      return verdict
    },
    refund (charge, nowUs) {
      clock.nowMs = nowUs / 1_000
      store.refund([charge]).catch(t.threw)
    },
    renew (held, nowUs) {
      clock.nowMs = nowUs / 1_000
      store.renew([held]).catch(t.threw)
    }
  }
}

/** The algorithms alone, under a clock that is set back now and then. */
function backAndForth (): Twin {
  const store = new EndlessStore()
  return { decide: (mode, checks, nowUs) => store[mode](checks, nowUs), refund: (charge, nowUs) => store.refund(charge, nowUs), renew: (held, nowUs) => store.renew(held, nowUs) }
}

function stepUs ({ below }: Seeded, back: boolean): number {
  switch (below(12)) {
    case 0: return below(2_000_000)
    case 1: return below(60_000_000)
    case 2: return below(20) === 0 ? below(40) * 86_400_000_000 : 0
    case 3: return back ? below(20) === 0 ? -below(86_400_000) * 1_000 : -below(50_000) : 0
    case 4: case 5: return 0
    default: return below(30_000)
  }
}

function someChecks (chance: Seeded, rules: ChangingRules): Check[] {
  const checks = new Map<string, Check>()
  for (let i = 1 + chance.below(chance.below(3) + 1); i > 0; i--) {
    const rule = rules.any()
    const cost = chance.below(10) === 0 ? 1 + chance.below(rule.capacity + 2) : 1 + chance.below(Math.max(1, Math.ceil(rule.capacity / 8)))
    checks.set(rule.name, { rule, subject: `s${chance.below(3)}`, cost, headroomTenths: chance.below(4) === 0 ? chance.below(11) : 0, ...(rule.algorithm === 'concurrency' && { slot: chance.word() }) })
  }
  return [...checks.values()]
}

/** Some of them as leases, which give back what was charged before. */
function leased (chance: Seeded, checks: readonly Check[], charged: Charge[]): Check[] {
  return checks.map(check => {
    if (chance.below(3) === 0) return check
    const at = chance.below(2) === 0 ? charged.findIndex(({ rule, subject }) => rule.name === check.rule.name && subject === check.subject) : -1
    const [old] = at === -1 ? [] : charged.splice(at, 1)
    const strictMs = check.rule.algorithm === 'gcra' && chance.below(2) === 0 ? 1 + chance.below(2_000) : 0
    return { ...check, batch: { want: 1 + chance.below(50), nodes: 1 + chance.below(4), strictMs, back: old && { units: old.cost, atMs: old.atMs } } }
  })
}

const told = (atMs: number, { outcomes }: Verdict) =>
  [atMs, ...outcomes.flatMap(({ remaining, waitMs, resetMs }) => [remaining, waitMs === Infinity ? -1 : waitMs, resetMs]), ...outcomes.flatMap(({ granted }) => granted ?? [])]

async function compare (t: Test, algorithms: readonly AlgorithmName[], { back, leases = false }: { back: boolean, leases?: boolean }): Promise<void> {
  const chance = seeded(t)
  const twin = back ? backAndForth() : forward()
  const rules = new ChangingRules(chance, algorithms)
  const prefix = `t${chance.word()}`
  const charged: Charge[] = []
  const seen = { admitted: 0, refused: 0, refunds: 0, renewals: 0, batches: 0 }
  let nowUs = Date.UTC(2026, 4, 10) * 1_000
  for (let batch = 0; batch < batches; batch++) {
    const operations: Operation[] = []
    const expected: number[][] = []
    for (let i = 0; i < perBatch; i++) {
      nowUs += stepUs(chance, back)
      if (charged.length > 0 && chance.below(8) === 0) {
        const index = chance.below(charged.length)
        const old = charged[index]!
        const charge = { ...old, rule: rules.now(old.rule.name) }
        // Also of a slot that has ended meanwhile.
        if (charge.rule.algorithm === 'concurrency' && charge.slot !== undefined && chance.below(2) === 0) {
          twin.renew(charge, nowUs)
          operations.push({ mode: 'renew', nowUs, checks: [charge] })
          expected.push([])
          seen.renewals++
          continue
        }
        charged.splice(index, 1)
        twin.refund(charge, nowUs)
        operations.push({ mode: 'refund', nowUs, checks: [charge] })
        expected.push([])
        seen.refunds++
        continue
      }
      const mode = chance.below(6) === 0 ? 'peek' : 'take'
      const some = someChecks(chance, rules)
      const checks = leases && mode === 'take' ? leased(chance, some, charged) : some
      const verdict = twin.decide(mode, checks, nowUs)
      operations.push({ mode, nowUs, checks })
      expected.push(told(Math.floor(nowUs / 1_000), verdict))
      seen[verdict.allowed ? 'admitted' : 'refused']++
      if (mode === 'take' && verdict.allowed) charged.push(...chargesOf(checks, verdict).map(({ batch: _, ...charge }, i) => ({ ...charge, cost: verdict.outcomes[i]!.granted ?? charge.cost })))
      seen.batches += verdict.outcomes.filter(({ granted = 0 }, i) => granted > checks[i]!.cost).length
      while (charged.length > 30) charged.shift()
    }
    const replies = await runScript(redis, operations, { prefix, forget: !back })
    const wrong = replies.findIndex((reply, i) => reply.join() !== expected[i]!.join())
    if (wrong !== -1) {
      t.same(replies[wrong], expected[wrong], `batch ${batch}, operation ${wrong}: ${JSON.stringify(operations[wrong])}`)
      return
    }
  }
  const enough = batches * perBatch / 20
  t.ok(seen.admitted > enough && seen.refused > enough && seen.refunds > enough / 2 && (!algorithms.includes('concurrency') || seen.renewals > enough / 10 / algorithms.length) && (!leases || seen.batches > enough), JSON.stringify(seen))
}

for (const algorithm of all) {
  t.test(`${algorithm}: TypeScript and Lua answer random operations alike, to the bit`, t => compare(t, [algorithm], { back: false }))
  t.test(`${algorithm}: also under a clock that is set back`, t => compare(t, [algorithm], { back: true }))
}

for (const algorithm of ['fixed-window', 'gcra'] as const) {
  t.test(`${algorithm}, leased: TypeScript and Lua grant alike, and take back alike`, t => compare(t, [algorithm], { back: false, leases: true }))
}

t.test('all algorithms side by side: TypeScript and Lua answer random operations alike, to the bit', t => compare(t, all, { back: false }))
