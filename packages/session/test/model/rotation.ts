import type { Step } from '@respite/testing'
import { waitForAll } from './acknowledging.ts'
import { changedHere } from './near.ts'
import { type Turn, script, statement } from './turn.ts'
import { type Plan, type World, grace, isAlive } from './world.ts'

/** Gives a session a new hash; the old one is answered by the durable store until its grace is over. */
export function rotate (turn: Turn): Step<World>[] {
  const { hash, next } = turn.plan as Extract<Plan, { op: 'rotate' }>
  switch (turn.call.step) {
    case 'idle': return script(turn, turn => ['read', hash, `n${turn.index}`, String(turn.world.era)], leased, turn => turn.over())
    case 'commit': return statement(turn, 'commits', turn => supersede(turn, hash, next))
    case 'tell': return script(turn, turn => ['rotate', hash, next, turn.call.lease!, turn.content], acknowledged, unacknowledged)
    case 'wait': return waitForAll(turn, supersedes)
    default: return statement(turn, 'confirms', confirm)
  }
}

function leased (turn: Turn, reply: unknown): void {
  const [kind, n, g] = reply as string[]
  if (kind === 'DEAD') {
    turn.over()
    return
  }
  turn.call.lease = { n: n!, g: Number(g) }
  turn.call.step = 'commit'
}

function supersede (turn: Turn, hash: string, next: string): void {
  const { world, call } = turn
  const row = world.rows[hash]
  if (!isAlive(row, world.now) || row.next !== '') {
    turn.over('lost the race')
    return
  }
  world.rows[next] = { ...row, pend: 0 }
  world.issued.push(next)
  call.row = { version: row.version, data: row.data, until: row.until }
  row.next = next
  row.until = Math.min(row.until, world.now + grace)
  row.pend = 1
  call.commit = ++world.commits
  call.step = 'tell'
}

/** From now on the old hash holds no longer than its grace. */
function supersedes ({ world, plan }: Turn): void {
  world.graceEnds[plan.hash!] ??= world.rows[plan.hash!]?.until ?? world.now
}

function acknowledged (turn: Turn): void {
  changedHere(turn, [turn.plan.hash!])
  supersedes(turn)
  turn.call.step = 'confirm'
}

function unacknowledged (turn: Turn): void {
  changedHere(turn, [turn.plan.hash!])
  turn.call.step = 'wait'
  if (turn.scene.without !== 'what Redis did not acknowledge is pending and waited for') return
  supersedes(turn)
  turn.over('ok')
}

function confirm (turn: Turn): void {
  const row = turn.world.rows[turn.plan.hash!]
  if (row !== undefined && !row.dead) row.pend = 0
  turn.over('ok')
}
