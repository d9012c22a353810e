import type { Step } from '@respite/testing'
import { confirmDead, unacknowledged, waitForAll } from './acknowledging.ts'
import { changedHere } from './near.ts'
import { type Turn, script, statement } from './turn.ts'
import type { World } from './world.ts'

/** Ends a session: durable first, Redis second, confirm third. */
export function logout (turn: Turn): Step<World>[] {
  const redisFirst = turn.scene.without === 'the durable store goes first'
  const kill = (answered: (turn: Turn) => void, unanswered: (turn: Turn) => void) =>
    script(turn, ({ call, plan }) => killing(call.hashes ?? [plan.hash!]), answered, unanswered)
  switch (turn.call.step) {
    case 'idle':
      if (redisFirst) return kill(turn => { turn.call.step = 'commit' }, turn => turn.over('failed'))
      return statement(turn, 'marks the rows dead', turn => { markDead(turn); turn.call.step = 'kill' })
    case 'commit': return statement(turn, 'removes the rows', removeRows)
    case 'kill': return kill(acknowledged, notAcknowledged)
    case 'wait': return waitForAll(turn, turn => turn.ends(turn.call.family!, 'S2'))
    default: return statement(turn, 'confirms', turn => confirmDead(turn, turn.call.hashes!))
  }
}

const killing = (hashes: string[]): ['kill', string[], boolean[]] => ['kill', hashes, hashes.map(() => true)]

function markDead ({ scene, world, call, plan }: Turn): void {
  const hash = plan.hash!
  const sid = world.rows[hash]?.sid
  call.family = sid === undefined ? [hash] : Object.keys(world.rows).filter(other => world.rows[other]!.sid === sid).sort()
  call.hashes = scene.without === 'a revoke ends the family' ? [hash] : call.family
  if (sid !== undefined) for (const hash of call.hashes) Object.assign(world.rows[hash]!, { dead: true, pend: 1 })
  call.commit = ++world.commits
  if (scene.without === 'a row stays until Redis has acknowledged') for (const hash of call.hashes) delete world.rows[hash]
}

function removeRows (turn: Turn): void {
  markDead(turn)
  for (const hash of turn.call.hashes!) delete turn.world.rows[hash]
  turn.ends(turn.call.hashes!, 'S2')
  turn.over()
}

function acknowledged (turn: Turn): void {
  changedHere(turn, turn.call.family!)
  turn.ends(turn.call.family!, 'S2')
  turn.call.step = 'confirm'
}

function notAcknowledged (turn: Turn): void {
  changedHere(turn, turn.call.family!)
  unacknowledged(turn, turn.call.hashes!)
}
