import type { Step } from '@respite/testing'
import { type Turn, script, statement } from './turn.ts'
import { type Plan, type World, idle, isAlive } from './world.ts'

type SavePlan = Extract<Plan, { op: 'save' }>

/** Sets a field: the row first, then Redis; what Redis did not acknowledge is marked. */
export function save (turn: Turn): Step<World>[] {
  const { field, value } = turn.plan as SavePlan
  switch (turn.call.step) {
    case 'idle': return statement(turn, `merges ${field}`, turn => merge(turn, { [field]: value }))
    case 'tell': return script(turn, ({ call }) => ['save', call.target!, call.row!.version, { [field]: value }, []], turn => turn.over('ok'), turn => { turn.call.step = 'mark' })
    default: return statement(turn, 'marks the row pending', markPending)
  }
}

function merge (turn: Turn, set: Record<string, string>): void {
  const { scene, world, call, plan } = turn
  const asked = world.rows[plan.hash!]
  const target = asked !== undefined && asked.next !== '' && scene.without !== 'a save follows to the successor' ? asked.next : plan.hash!
  const row = world.rows[target]
  if (!isAlive(asked, world.now) || !isAlive(row, world.now)) {
    turn.over('gone')
    return
  }
  row.data = { ...row.data, ...set }
  row.version++
  world.commits++
  call.target = target
  call.row = { version: row.version, data: row.data, until: row.until }
  call.step = 'tell'
}

function markPending (turn: Turn): void {
  const row = turn.world.rows[turn.call.target!]
  if (row !== undefined && !row.dead) row.pend = row.version
  turn.world.commits++
  turn.over('ok')
}

/** Prolongs a session. */
export function touch (turn: Turn): Step<World>[] {
  if (turn.call.step === 'idle') return statement(turn, 'prolongs the row', prolong)
  return script(turn, ({ call, plan, world }) => ['touch', plan.hash!, call.row!.until - world.now], turn => turn.over(), turn => turn.over())
}

function prolong (turn: Turn): void {
  const { world, call, plan } = turn
  const row = world.rows[plan.hash!]
  if (!isAlive(row, world.now) || row.next !== '') {
    turn.over()
    return
  }
  row.until = world.now + idle
  call.row = { version: row.version, data: row.data, until: row.until }
  call.step = 'tell'
}
