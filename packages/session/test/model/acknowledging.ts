import type { Step } from '@respite/testing'
import { type Turn, local } from './turn.ts'
import type { World } from './world.ts'

/** Redis may not know: the call waits, and its rows stay pending. */
export function unacknowledged (turn: Turn, hashes: readonly string[], property: 'S1' | 'S2' = 'S2'): void {
  turn.call.step = 'wait'
  if (turn.scene.without !== 'what Redis did not acknowledge is pending and waited for') return
  turn.ends(hashes, property)
  turn.over('ok')
}

/** Resolves once every process has polled after the commit, or trusts nothing. */
export function waitForAll (turn: Turn, then: (turn: Turn) => void): Step<World>[] {
  const { world, call } = turn
  if (!world.processes.every(({ trusts, polled }) => !trusts || polled >= call.commit!)) return []
  return local(turn, 'has waited', turn => {
    turn.world.waited = Math.max(turn.world.waited, turn.call.commit!)
    then(turn)
    turn.over('ok')
  })
}

/** Redis knows: the rows may go. */
export function confirmDead (turn: Turn, hashes: readonly string[]): void {
  for (const hash of hashes) if (turn.world.rows[hash]?.dead) delete turn.world.rows[hash]
  turn.over('ok')
}
