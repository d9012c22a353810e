import type { LeasingParts } from '../../src/leases/leased-question.ts'
import type { LeaseRule } from '../../src/leases/lease-options.ts'
import { LeasingStore } from '../../src/stores/leasing.ts'
import { MemoryStore } from '../../src/stores/memory.ts'
import { RememberingStore } from '../../src/stores/remembering.ts'
import type { Check, VerdictCallback } from '../../src/stores/store.ts'
import { fakeClock } from '../clock.ts'
import { check, rule, take } from '../rules.ts'

const lease: LeaseRule = { lifetimeMs: 2_000, strict: false }
export const hour = { windowMs: 3_600_000 }

/** A check of a leased limit of an hour. */
export const leased = (limit: number, { algorithm = 'fixed-window', name = 'n', cost = 1 }: { algorithm?: 'fixed-window' | 'gcra', name?: string, cost?: number } = {}): Check =>
  ({ ...check(rule(algorithm, limit, { ...hour, name }), 's', cost), lease })

/** A store that answers when the test says so, as Redis does. */
class SlowStore extends MemoryStore {
  calls: Check[][] = []
  held: (() => void)[] | undefined
  failure: Error | undefined

  override take (checks: readonly Check[], callback: VerdictCallback): void {
    this.calls.push([...checks])
    const { failure } = this
    const answer = () => failure === undefined ? super.take(checks, callback) : callback(failure)
    if (this.held === undefined) answer()
    else this.held.push(answer)
  }

  /** Answers what was asked so far. */
  answer (): void {
    for (const one of this.held!.splice(0)) one()
  }
}

/** Processes over one store, under one clock. */
export function processes (count: number) {
  const clock = fakeClock()
  const store = new SlowStore({ clock, maxKeys: 20_000 })
  const told: unknown[] = []
  const counted: Record<string, number> = { granted: 0, spent: 0, returned: 0, answers: 0 }
  const meters: LeasingParts['meters'] = {
    count: (_, event, units) => {
      counted[event]! += units
      if (event === 'spent') counted.answers!++
    }
  }
  const nodes = Array.from({ length: count }, () => {
    const remembering = new RememberingStore(store, { clock, reachable: () => true, tell: freed => told.push(...freed) })
    return new LeasingStore({ store: remembering, clock, meters, instances: () => count })
  })
  return { clock, store, told, counted, nodes, one: nodes[0]!, other: nodes[1]! }
}

/** Asks often enough that a lease is worth it. */
export async function warm (node: LeasingStore, of: Check, times = 4): Promise<void> {
  for (let i = 0; i < times; i++) await take(node, of)
}
