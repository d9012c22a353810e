import type { Step } from '@respite/testing'
import { spoilPending } from './near.ts'
import { type Turn, local, script, statement } from './turn.ts'
import { type World, pendingOf } from './world.ts'

/** Asks the durable store for what Redis may not know: until then, and for those rows, Redis is not believed. */
export function poll (turn: Turn): Step<World>[] {
  if (turn.call.step === 'idle') {
    return statement(turn, 'asks for pending rows', ({ world, call }) => {
      call.hashes = pendingOf(world)
      call.commit = world.commits
      call.step = 'install'
    })
  }
  return local(turn, 'takes the answer', install)
}

function install (turn: Turn): void {
  const { scene, world, call, process } = turn
  process.bypass = call.hashes!
  spoilPending(turn)
  // An answer from before a wait that is over has come after its own time.
  if (call.commit! >= world.waited || scene.without === 'a late poll gives no trust') {
    process.polled = scene.without === 'trust counts from when the poll was sent' ? world.commits : call.commit!
    process.trusts = true
  }
  turn.over()
}

/** Tells Redis what another process left half done. */
export function sweep (turn: Turn): Step<World>[] {
  switch (turn.call.step) {
    case 'idle': return statement(turn, 'asks for pending rows', look)
    case 'kill': return script(turn, ({ call: { seen } }) => ['kill', seen!.map(({ hash }) => hash), seen!.map(({ dead }) => dead)], ({ call }) => { call.step = 'confirm' }, turn => turn.over())
    default: return statement(turn, 'confirms', confirm)
  }
}

function look (turn: Turn): void {
  const { world, call } = turn
  call.seen = pendingOf(world).map(hash => ({ hash, dead: world.rows[hash]!.dead, pend: world.rows[hash]!.pend }))
  if (call.seen.length === 0) turn.over()
  else call.step = 'kill'
}

function confirm (turn: Turn): void {
  const { rows } = turn.world
  for (const { hash, dead, pend } of turn.call.seen!) {
    const row = rows[hash]
    if (row?.dead && dead) delete rows[hash]
    else if (row?.pend === pend && !row.dead) row.pend = 0
  }
  turn.over()
}
